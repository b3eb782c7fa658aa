"""The SNMP agent: the box's lines, calls and daemons for management stations, and notifications to them."""
