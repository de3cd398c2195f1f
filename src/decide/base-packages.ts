/**
 * The packages that a bundle must have as the project's `policies/` has them, if it has them at all: the entry point that gathers the
 * verdicts, and the words that rules are written with. Digests (`scanRego`) of each one's only file; `npm run policy:build -- --digests`
 * prints them. Plain `opa build` takes the entry point's own rule out of the source (it is in the Wasm only): the second one of the decision.
 */
export const BASE_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'countersign.decision': [
    '2cb1772071e3725f77c7ba455fcf7296c2a8ed8704abf2d892216bb69abad033',
    '509d526d57bcf554e19811caf280ec74667f7374556c2d3bfa51da19f6c623bc',
  ],
  'countersign.lib.certificate': ['1a4383dac3d9e6098ef916d7227b8f60e6bc3a83be273561ae514ad1ec876213'],
  'countersign.lib.credential': ['ecabfca160f7fe1c20af6f6f507cbcf561f9b069e93cd589dfdae2d91cd6b284'],
  'countersign.lib.is': ['61079d3e21caa08b385ae4bcc4a3d612b735366ae0a2f14dbe8291ffb17945b8'],
  'countersign.lib.route': ['ded7bc100a01eaa46d66f539d4f98a3f0852c8e5fa1fbbbe98a8c8c52d335517'],
  'countersign.lib.say': ['716805b6ad2da03516c864bf7252cd0590c8742ab46a313de067e32df3ce6f63'],
  'countersign.lib.threat': ['d6e8980b3c52d17c5ff98abaef83b03a6a72d28f7b92c1264d562a81f04c206f'],
};
