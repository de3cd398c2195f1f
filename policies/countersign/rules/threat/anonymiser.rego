# METADATA
# title: The request comes through a service that hides where from
# description: kinds of the address that limits.threats.anonymiser.kinds names
# custom:
#   remedy: Call without the service that hides the address, or bring stronger evidence where that is asked for.
package countersign.rules.threat.anonymiser

import data.countersign.lib.status
import data.countersign.lib.threat

verdict := "clear" if {
	not data.countersign.limits.threats.anonymiser
} else := "clear" if {
	input.signals.network.value.kinds == []
} else := threat.seen("threat.anonymiser", data.countersign.limits.threats.anonymiser) if {
	_hit == true
} else := "clear" if {
	_hit == false
} else := "clear" if {
	status.lacking(input.signals.network.status)
}

_hit := count([kind | some kind in kinds; kind in wanted]) > 0 if {
	kinds := input.signals.network.value.kinds
	wanted := data.countersign.limits.threats.anonymiser.kinds
	is_array(kinds)
	is_array(wanted)
}
