-- operator: no more calls; a talk going on is not touched.
local operator = ARGV[1]
local room = redis.call('HGET', B .. 'duty', operator)
if room then redis.call('ZREM', free_of(room), operator) end
redis.call('HDEL', B .. 'duty', operator)
redis.call('HDEL', B .. 'post', operator)
redis.call('ZREM', B .. 'wrap_up', operator)
if not call_held_by(operator) then redis.call('HDEL', B .. 'state', operator) end
if room then left(room) end
