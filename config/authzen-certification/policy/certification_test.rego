package certification_test

import data.certification

effect(subject, action, resource) := said.effect if {
	said := certification.decision with input as {"subject": subject, "action": action, "resource": resource}
}

alice := {"type": "user", "id": "alice", "properties": {}}

bob := {"type": "user", "id": "bob", "properties": {}}

admin := {"type": "user", "id": "bob", "properties": {"role": "admin"}}

active := {"type": "record", "id": "record-1", "properties": {"status": "active"}}

archived := {"type": "record", "id": "record-2", "properties": {"status": "archived"}}

action(name) := {"name": name, "properties": {}}

test_both_read_the_active_record if {
	effect(alice, action("read"), active) == "allow"
	effect(bob, action("read"), active) == "allow"
}

test_alice_alone_writes_the_active_record if {
	effect(alice, action("write"), active) == "allow"
	effect(bob, action("write"), active) == "deny"
	effect(admin, action("write"), active) == "deny"
}

test_only_an_admin_writes_an_archived_record if {
	effect(alice, action("write"), archived) == "deny"
	effect(bob, action("write"), archived) == "deny"
	effect(admin, action("write"), archived) == "allow"
}

test_alice_deletes_softly if {
	effect(alice, {"name": "delete", "properties": {"soft": true}}, active) == "allow"
	effect(alice, {"name": "delete", "properties": {"soft": false}}, active) == "deny"
	effect(alice, action("delete"), active) == "deny"
}

test_nobody_else_has_anything if {
	effect({"type": "user", "id": null, "properties": {}}, action("read"), active) == "deny"
	effect({"type": "client", "id": "alice", "properties": {}}, action("read"), active) == "deny"
	effect(alice, action("read"), {"type": "folder", "id": "record-1", "properties": {}}) == "deny"
}
