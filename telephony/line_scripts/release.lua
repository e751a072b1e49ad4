-- operator, call, now, talked (1 or 0): the call is done with the operator. After a talk comes the wrap-up: when it ends,
-- else 0.
local operator, id, now, talked = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if call_held_by(operator) ~= id then return 0 end
redis.call('HDEL', B .. 'claim', operator)
if redis.call('HGET', B .. 'paired', id) == operator then redis.call('HDEL', B .. 'paired', id) end
if redis.call('HGET', B .. 'kept', id) == operator then redis.call('HDEL', B .. 'kept', id) end
local state, post = redis.call('HGET', B .. 'state', operator) or '', decoded('post', operator)
if talked == '1' and post and post.wrap_up_ms > 0 and state:match('^talking') then
  local over = now + post.wrap_up_ms
  redis.call('HSET', B .. 'state', operator, 'wrap_up ' .. now .. ' ' .. (state:match('^talking (%d+) seen$') or ''))
  redis.call('ZADD', B .. 'wrap_up', over, operator)
  redis.call('PUBLISH', B .. 'wake', 'wrap_up ' .. over)
  return over
end
if post then measure(operator, post.room, now) end
becomes_idle(operator, now)
return 0
