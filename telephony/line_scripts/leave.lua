-- call, operator kept ('' for none), now: out of every line. A caller who hung up while a pairing was under way may
-- hold an operator nobody knows of: all but the kept one are set free.
local id, kept, now = ARGV[1], ARGV[2], ARGV[3]
out_of_lines(id)
local operator = redis.call('HGET', B .. 'paired', id)
redis.call('HDEL', B .. 'paired', id)
if not operator or call_held_by(operator) ~= id then return end
if operator == kept then
  redis.call('HSET', B .. 'kept', id, operator)
  redis.call('HSET', B .. 'state', operator, 'talking ' .. now .. ' seen')
else
  redis.call('HDEL', B .. 'claim', operator)
  becomes_idle(operator, now)
end
