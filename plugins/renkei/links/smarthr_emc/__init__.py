"""SmartHR to Emergency Call."""

LINK = "smarthr_emc"  # as its Dags, its folder of sheets and its part of the store are called
