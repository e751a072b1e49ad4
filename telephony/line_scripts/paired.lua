-- call: the operator paired with it and the operator's post; nothing when none is.
local operator = redis.call('HGET', B .. 'paired', ARGV[1])
if not operator then return false end
return { operator, redis.call('HGET', B .. 'post', operator) or '' }
