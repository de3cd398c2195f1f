package w1

# the refused networks as keys of an object, which is the fastest form for OPA; it takes prefixes of whole octets only
blocked if {
	octets := split(input.source.ip, ".")
	some length in [1, 2, 3, 4]
	data.bench.prefixes[concat(".", array.slice(octets, 0, length))]
}
