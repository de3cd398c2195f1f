# METADATA
# description: what the route of the catalogue asks for; undefined where the input has no route
package countersign.lib.route

# anybody may call it
public if {
	input.route.status == "matched"
	input.route.public == true
}

# an identity is needed
protected if {
	input.route.status == "matched"
	input.route.public == false
}

# the catalogue does not say what it needs
outside if input.route.status in {"unknown", "ambiguous", "none"}
