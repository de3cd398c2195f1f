# METADATA
# title: One credential is used from many places at once
# description: addresses of the token, and of the client where it has no token; the AS numbers tell a leak from a fleet behind one operator
# custom:
#   remedy: Replace the credential, and use it from few places.
package countersign.rules.threat.key_leak

import data.countersign.lib.is
import data.countersign.lib.status
import data.countersign.lib.threat

verdict := "clear" if {
	not data.countersign.limits.threats.key_leak
} else := "clear" if {
	is.at_most(input.signals.behaviour.value.asns, data.countersign.limits.threats.key_leak.asns_max)
} else := "clear" if {
	is.at_most(_addresses, data.countersign.limits.threats.key_leak.addresses_max)
} else := threat.seen("threat.key_leak", data.countersign.limits.threats.key_leak) if {
	is.above(input.signals.behaviour.value.asns, data.countersign.limits.threats.key_leak.asns_max)
	is.above(_addresses, data.countersign.limits.threats.key_leak.addresses_max)
} else := "clear" if {
	input.signals.behaviour.value.asns == null
} else := "clear" if {
	input.signals.behaviour.value.token_addresses == null
	input.signals.behaviour.value.addresses == null
} else := "clear" if {
	status.lacking(input.signals.behaviour.status)
}

_addresses := input.signals.behaviour.value.token_addresses if {
	input.signals.behaviour.value.token_addresses != null
} else := input.signals.behaviour.value.addresses if {
	input.signals.behaviour.value.token_addresses == null
}
