-- room: whether anybody is on duty there. Looked up here: a thousand names on the wire for each caller cost more.
for _, room in ipairs(redis.call('HVALS', 'burgernet:duty')) do
  if room == ARGV[1] then return 1 end
end
return 0
