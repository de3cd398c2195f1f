# METADATA
# title: A data centre speaks where a device is expected
# description: of clients whose record has one of the types, or on routes of one of the tiers
# custom:
#   remedy: Call from the network where such clients are, or change its type in the record of the client.
package countersign.rules.threat.hosting_unexpected

import data.countersign.lib.is
import data.countersign.lib.status
import data.countersign.lib.threat

verdict := "clear" if {
	not data.countersign.limits.threats.hosting_unexpected
} else := "clear" if {
	input.signals.network.value.kinds == []
} else := "clear" if {
	_hosting == false
} else := threat.seen("threat.hosting_unexpected", data.countersign.limits.threats.hosting_unexpected) if {
	_hosting == true
	_expected_none
} else := "clear" if {
	_hosting == true
	_type_free
	_tier_free
} else := "clear" if {
	status.lacking(input.signals.network.status)
}

_hosting := "hosting" in kinds if {
	kinds := input.signals.network.value.kinds
	is_array(kinds)
}

_expected_none if is.one_of(input.subject.client.type, data.countersign.limits.threats.hosting_unexpected.client_types)

_expected_none if is.one_of(input.route.tier, data.countersign.limits.threats.hosting_unexpected.tiers)

_type_free if is.one_of(input.subject.client.type, data.countersign.limits.threats.hosting_unexpected.client_types) == false

_type_free if input.subject.registered == false

_tier_free if is.one_of(input.route.tier, data.countersign.limits.threats.hosting_unexpected.tiers) == false
