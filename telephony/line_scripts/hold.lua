-- operator, app, call, now: the operator talks in this call. 0 when another call has the operator: ours may be over by
-- the time Redis hears of it.
local operator, app, id, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local held = call_held_by(operator)
if held and held ~= id then return 0 end
redis.call('HSET', B .. 'claim', operator, app .. ' ' .. id)
local room = redis.call('HGET', B .. 'duty', operator)
if room then redis.call('ZREM', free_of(room), operator) end
redis.call('ZREM', B .. 'wrap_up', operator)
local state = redis.call('HGET', B .. 'state', operator) or ''
if not state:match('^talking') then redis.call('HSET', B .. 'state', operator, 'talking ' .. now) end
return 1
