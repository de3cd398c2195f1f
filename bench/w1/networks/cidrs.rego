package w1

# the refused networks as the list of CIDRs that a blocklist is
blocked if {
	some cidr in data.bench.cidrs
	net.cidr_contains(cidr, input.source.ip)
}
