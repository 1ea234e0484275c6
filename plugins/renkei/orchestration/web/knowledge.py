"""What the console knows: Airflow's database, the sheets and the store put together."""

from __future__ import annotations

from renkei.orchestration.web.channel_desk import ChannelDesk
from renkei.orchestration.web.companies import Companies
from renkei.orchestration.web.connection_desk import ConnectionDesk
from renkei.orchestration.web.member_desk import MemberDesk
from renkei.orchestration.web.one_company import OneCompany
from renkei.orchestration.web.past_runs import PastRuns


class AirflowKnowledge(Companies, OneCompany, ConnectionDesk, ChannelDesk, MemberDesk, PastRuns):
    """`renkei.web.services.Knowledge`."""
