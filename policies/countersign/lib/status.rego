# METADATA
# description: closed sets of states as functions, undefined for all else; in WebAssembly each set that is written out is built anew at every evaluation
package countersign.lib.status

# a signal that is not present, for whatever reason
lacking("absent")

lacking("invalid")

lacking("unavailable")

# a signal that was not offered and refused
not_invalid("present")

not_invalid("absent")

not_invalid("unavailable")

known("present")

known("absent")

known("invalid")

known("unavailable")

# known not to be so, or not known
not_true(false)

not_true(null)

# what the pieces of evidence say of the client together
agreement("none")

agreement("single")

agreement("agreed")

agreement("conflict")
