# METADATA
# title: The client comes from a new place with a new device
# description: a country or AS from which it was never allowed, with a device that never was, only just was, or is not one of those registered; either alone is everyday
# custom:
#   remedy: Bring stronger evidence, or register the client's new device.
package countersign.rules.threat.stolen_token

import data.countersign.lib.is
import data.countersign.lib.status
import data.countersign.lib.threat

verdict := "clear" if {
	not data.countersign.limits.threats.stolen_token
} else := "clear" if {
	status.not_true(input.signals.behaviour.value.country_new)
	status.not_true(input.signals.behaviour.value.asn_new)
} else := "clear" if {
	status.not_true(input.signals.device.value.new_for_client)
	input.signals.device.value.known in {true, null}
	_settled
} else := threat.seen("threat.stolen_token", data.countersign.limits.threats.stolen_token) if {
	_device_new
	_place_new
} else := "clear" if {
	status.lacking(input.signals.device.status)
} else := "clear" if {
	status.lacking(input.signals.behaviour.status)
	input.signals.device.status == "present"
}

_place_new if input.signals.behaviour.value.country_new == true

_place_new if input.signals.behaviour.value.asn_new == true

_device_new if input.signals.device.value.new_for_client == true

_device_new if input.signals.device.value.known == false

# who lets its device be seen near the client first, and then goes elsewhere; what many clients have is a library that was updated
_device_new if {
	is.above(data.countersign.limits.threats.stolen_token.device_age_seconds_min, _age)
	is.at_most(input.signals.device.value.shared_by_clients, data.countersign.limits.threats.stolen_token.device_clients_max)
}

_settled if not data.countersign.limits.threats.stolen_token.device_age_seconds_min

_settled if not data.countersign.limits.threats.stolen_token.device_clients_max

_settled if input.signals.device.value.first_seen == null

_settled if input.signals.device.value.shared_by_clients == null

_settled if is.at_most(data.countersign.limits.threats.stolen_token.device_age_seconds_min, _age)

_settled if is.above(input.signals.device.value.shared_by_clients, data.countersign.limits.threats.stolen_token.device_clients_max)

_age := input.time.unix_seconds - input.signals.device.value.first_seen
