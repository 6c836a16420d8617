"""Packages of disks: OVA, and the OVF in it."""
