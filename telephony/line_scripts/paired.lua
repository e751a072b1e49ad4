-- call: the operator paired with it and the operator's post; nothing when none is.
return paired(ARGV[1])
