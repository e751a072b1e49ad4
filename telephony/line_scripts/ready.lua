-- now, operator ('' for everybody whose time is over): the wrap-up ends. When the next one ends, else 0.
local now, operator = ARGV[1], ARGV[2]
local over = operator == '' and redis.call('ZRANGEBYSCORE', B .. 'wrap_up', '-inf', now)
  or (redis.call('ZSCORE', B .. 'wrap_up', operator) and { operator } or {})
for _, each in ipairs(over) do
  local room = redis.call('HGET', B .. 'duty', each)
  if room then measure(each, room, now) end
  becomes_idle(each, now)
end
return redis.call('ZRANGE', B .. 'wrap_up', 0, 0, 'WITHSCORES')[2] or '0'
