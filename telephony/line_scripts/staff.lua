-- language, rooms: 2 when anybody on duty in one of these rooms speaks it, 1 when anybody is on duty there, else 0.
local duty, found = redis.call('HGETALL', B .. 'duty'), 0
local rooms = {}
for i = 2, #ARGV do rooms[ARGV[i]] = true end
for i = 1, #duty, 2 do
  if rooms[duty[i + 1]] then
    local post = decoded('post', duty[i])
    if post and has(post.languages, ARGV[1]) then return 2 end
    found = 1
  end
end
return found
