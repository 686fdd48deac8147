"""How fast Waybill is on this machine: `make bench`. README.md says how to read it."""
