"""Many boxes from one place, by SSH: inventory, runs that outlive their process, a report that is true."""
