# METADATA
# title: The client comes from a new place with a new device
# description: a country or AS from which it was never allowed, with a device that never was, or is not one of those registered; either alone is everyday
# custom:
#   remedy: Bring stronger evidence, or register the client's new device.
package countersign.rules.threat.stolen_token

import data.countersign.lib.threat

verdict := "clear" if {
	not data.countersign.limits.threats.stolen_token
} else := "clear" if {
	input.signals.device.value.new_for_client in {false, null}
	input.signals.device.value.known in {true, null}
} else := "clear" if {
	input.signals.behaviour.value.country_new in {false, null}
	input.signals.behaviour.value.asn_new in {false, null}
} else := threat.seen("threat.stolen_token", data.countersign.limits.threats.stolen_token) if {
	_device_new
	_place_new
} else := "clear" if {
	input.signals.device.status in {"absent", "invalid", "unavailable"}
} else := "clear" if {
	input.signals.behaviour.status in {"absent", "invalid", "unavailable"}
	input.signals.device.status == "present"
}

_place_new if input.signals.behaviour.value.country_new == true

_place_new if input.signals.behaviour.value.asn_new == true

_device_new if input.signals.device.value.new_for_client == true

_device_new if input.signals.device.value.known == false
