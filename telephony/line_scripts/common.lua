-- Read before every other script here. What always holds: no caller in a line fits an operator who is idle. So whoever
-- comes is tried against those there, and nobody else needs a look.
local B = 'burgernet:'

local function line_of(room) return B .. 'line:' .. room end
local function free_of(room) return B .. 'free:' .. room end

local function has(list, value)
  for _, each in ipairs(list) do
    if each == value then return true end
  end
  return false
end

local function decoded(hash, field)
  local text = redis.call('HGET', B .. hash, field)
  return text and cjson.decode(text)
end

local function fits(call, operator, post)
  return not has(call.passed, operator)
    and (call.language == '' or has(post.languages, call.language))
    and (call.skill == '' or has(post.skills, call.skill))
end

local function out_of_lines(id)
  local call = decoded('waiting', id)
  if not call then return end
  for _, room in ipairs(call.rooms) do redis.call('ZREM', line_of(room), id) end
  redis.call('HDEL', B .. 'waiting', id)
end

local function pair(id, call, operator, now, quiet)
  out_of_lines(id)
  redis.call('ZREM', free_of(redis.call('HGET', B .. 'duty', operator)), operator)
  redis.call('HSET', B .. 'claim', operator, call.app .. ' ' .. id)
  redis.call('HSET', B .. 'paired', id, operator)
  redis.call('HSET', B .. 'state', operator, 'ringing ' .. now)
  if not quiet then redis.call('PUBLISH', B .. 'wake', id) end
  return operator
end

-- The operator paired with a call and the operator's post; nothing when none is.
local function paired(id)
  local operator = redis.call('HGET', B .. 'paired', id)
  return operator and { operator, redis.call('HGET', B .. 'post', operator) or '' }
end

-- The preferred operator, else the longest idle of the first room that has one. Who asks is told: no wake-up.
local function serve_call(id, call, now)
  local home = call.preferred ~= '' and redis.call('HGET', B .. 'duty', call.preferred)
  if home and has(call.rooms, home) and redis.call('ZSCORE', free_of(home), call.preferred)
    and fits(call, call.preferred, decoded('post', call.preferred)) then
    return pair(id, call, call.preferred, now, true)
  end
  for _, room in ipairs(call.rooms) do
    for _, operator in ipairs(redis.call('ZRANGE', free_of(room), 0, -1)) do
      if fits(call, operator, decoded('post', operator)) then return pair(id, call, operator, now, true) end
    end
  end
  return false
end

-- The first in line whom this operator can help.
local function serve_operator(operator, room, now)
  local post, from, some = decoded('post', operator), 0, 20
  repeat
    local ids = redis.call('ZRANGE', line_of(room), from, from + some - 1)
    local calls = #ids > 0 and redis.call('HMGET', B .. 'waiting', unpack(ids)) or {}
    for place, id in ipairs(ids) do
      local call = calls[place] and cjson.decode(calls[place])
      if call and fits(call, operator, post) then return pair(id, call, operator, now) end
    end
    from = from + some
  until #ids < some
  return false
end

-- How long an operator was occupied with a talk, wrap-up included. Not told when the beginning was not seen.
local function measure(operator, room, now)
  local state = redis.call('HGET', B .. 'state', operator) or ''
  local began = state:match('^talking (%d+) seen$') or state:match('^wrap_up %d+ (%d+)$')
  if not began or now - began < 0 then return end
  local handled = B .. 'handled:' .. room
  redis.call('LPUSH', handled, now .. ' ' .. (now - began))
  redis.call('LTRIM', handled, 0, 49)
  redis.call('EXPIRE', handled, 14400)
end

-- Free for the next caller, when on duty still.
local function becomes_idle(operator, now)
  local room = redis.call('HGET', B .. 'duty', operator)
  redis.call('ZREM', B .. 'wrap_up', operator)
  if not room then
    redis.call('HDEL', B .. 'state', operator)
    return
  end
  redis.call('ZADD', free_of(room), 'NX', now, operator)
  redis.call('HSET', B .. 'state', operator, 'idle ' .. now)
  serve_operator(operator, room, now)
end

local function call_held_by(operator)
  local claim = redis.call('HGET', B .. 'claim', operator)
  return claim and claim:match('^%S+ (.*)$')
end

-- An operator is away from this room: who waits there hears when that was the last one.
local function left(room)
  if not has(redis.call('HVALS', B .. 'duty'), room) then redis.call('PUBLISH', B .. 'wake', 'left ' .. room) end
end
