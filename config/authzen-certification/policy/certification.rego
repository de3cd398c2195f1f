# METADATA
# title: The certification scenario of AuthZEN Authorization API 1.0
# description: alice, bob, record-1 and record-2, by the rules of the scenario; the gateway must be trusted for `subject`
# schemas:
#   - input: schema.input
package certification

default decision := {"effect": "deny", "reasons": ["certification.not_granted"]}

decision := {"effect": "allow", "reasons": ["certification.granted"]} if _granted

_subject := input.subject.id if input.subject.type == "user"

_resource := input.resource.id if input.resource.type == "record"

_granted if {
	_resource == "record-1"
	_subject in {"alice", "bob"}
	input.action.name == "read"
}

_granted if {
	_resource == "record-1"
	_subject == "alice"
	input.action.name == "write"
	not _archived
}

_granted if {
	_resource == "record-1"
	_subject == "alice"
	input.action.name == "delete"
	input.action.properties.soft == true
}

# only what the gateway says of the record counts here, as in the scenario
_granted if {
	_archived
	_subject
	input.subject.properties.role == "admin"
	input.action.name == "write"
}

_archived if {
	_resource
	input.resource.properties.status == "archived"
}
