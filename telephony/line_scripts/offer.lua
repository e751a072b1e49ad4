-- operator, post, now: on duty at this post, free unless a call holds the operator or the last one is being wrapped up.
local operator, text, now = ARGV[1], ARGV[2], ARGV[3]
local post, before = cjson.decode(text), redis.call('HGET', B .. 'duty', operator)
if before and before ~= post.room then redis.call('ZREM', free_of(before), operator) end
redis.call('HSET', B .. 'duty', operator, post.room)
redis.call('HSET', B .. 'post', operator, text)
if before and before ~= post.room then left(before) end
if call_held_by(operator) or redis.call('ZSCORE', B .. 'wrap_up', operator) then return end
if redis.call('ZSCORE', free_of(post.room), operator) then
  serve_operator(operator, post.room, now)
else
  becomes_idle(operator, now)
end
