"""Waybill: a self-hosted device deployment programme that speaks the KDP reseller API."""
