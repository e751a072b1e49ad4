-- now, operator ('' for everybody whose time is over): the wrap-up ends. When the next one ends, else 0.
local now, operator = ARGV[1], ARGV[2]
local over = operator == '' and redis.call('ZRANGEBYSCORE', B .. 'wrap_up', '-inf', now)
  or (redis.call('ZSCORE', B .. 'wrap_up', operator) and { operator } or {})
-- The clock was set back: nobody waits until it is that late again. A minute is what machines may differ.
for _, each in ipairs(operator == '' and redis.call('ZRANGE', B .. 'wrap_up', 0, -1) or {}) do
  local began = (redis.call('HGET', B .. 'state', each) or ''):match('^wrap_up (%d+)')
  if began and began - now > 60000 then over[#over + 1] = each end
end
for _, each in ipairs(over) do
  local room = redis.call('HGET', B .. 'duty', each)
  if room then measure(each, room, now) end
  becomes_idle(each, now)
end
return redis.call('ZRANGE', B .. 'wrap_up', 0, 0, 'WITHSCORES')[2] or '0'
