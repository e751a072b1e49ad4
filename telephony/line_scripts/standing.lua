-- call: of each room in whose line it stands: room, how many are before it, how many operators are on duty, and the
-- measured talks.
local call, rooms = decoded('waiting', ARGV[1]), {}
if not call then return rooms end
for _, room in ipairs(call.rooms) do
  local on_duty = 0
  for _, home in ipairs(redis.call('HVALS', B .. 'duty')) do
    if home == room then on_duty = on_duty + 1 end
  end
  local before = redis.call('ZRANK', line_of(room), ARGV[1]) or 0
  rooms[#rooms + 1] = { room, before, on_duty, redis.call('LRANGE', B .. 'handled:' .. room, 0, -1) }
end
return rooms
