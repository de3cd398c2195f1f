# METADATA
# description: comparisons that are undefined, instead of wrong, on a wrong type
package countersign.lib.is

above(value, limit) := value > limit if {
	is_number(value)
	is_number(limit)
}

below(value, limit) := value < limit if {
	is_number(value)
	is_number(limit)
}

at_most(value, limit) := value <= limit if {
	is_number(value)
	is_number(limit)
}

# the name is one of the list
one_of(name, list) := name in list if {
	is_string(name)
	is_array(list)
}

# the wanted names that are not held, in the order of the wanted ones
missing(wanted, held) := [name | some name in wanted; not name in held] if {
	is_array(wanted)
	is_array(held)
}

# every wanted name is held; a list without a name holds nothing
all_in(wanted, held) := count(missing(wanted, held)) == 0 if count(wanted) > 0

all_in(wanted, held) := false if {
	is_array(held)
	count(wanted) == 0
}
