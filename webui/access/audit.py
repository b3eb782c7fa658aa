"""The log of what people did on the pages: appliance.store.audit, which the console has, too."""

from appliance.store.audit import DAY_S as DAY_S
from appliance.store.audit import FIRST as FIRST
from appliance.store.audit import TEXT_MOST as TEXT_MOST
from appliance.store.audit import Asked as Asked
from appliance.store.audit import Audit as Audit
from appliance.store.audit import Did as Did
from appliance.store.audit import Entry as Entry
from appliance.store.audit import Verified as Verified
