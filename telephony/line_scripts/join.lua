-- call, record, score, now, fresh: a place in the lines of the record's rooms; taken again it changes nothing but what
-- the record says. The operator paired with the call and the post, if any. A call new to this controller (fresh = 1)
-- sets free whom an earlier life of the controller was ringing, or had brought to the phone for a talk that never began.
local id, text, score, now, fresh = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5] == '1'
local before = redis.call('HGET', B .. 'paired', id)
if before and not fresh then return paired(id) end
before = before or fresh and redis.call('HGET', B .. 'kept', id)
if before then
  redis.call('HDEL', B .. 'paired', id)
  redis.call('HDEL', B .. 'kept', id)
  if call_held_by(before) == id then redis.call('HDEL', B .. 'claim', before) else before = false end
end
out_of_lines(id)
local call = cjson.decode(text)
for _, room in ipairs(call.rooms) do redis.call('ZADD', line_of(room), score, id) end
redis.call('HSET', B .. 'waiting', id, text)
if before then becomes_idle(before, now) end
if not redis.call('HGET', B .. 'paired', id) then serve_call(id, call, now) end
return paired(id)
