"""Makes docs/console.svg: the demo as it is, a little after one of its vendors went down.

.venv/bin/python docs/make_screenshot.py [FILE]
"""

import asyncio
import sys
from pathlib import Path

from mds_engine.config.simulated import demo_config
from mds_engine.drills.desk import run_desk
from mds_engine.embedded import EmbeddedLink
from mds_engine.engine import Engine
from mds_engine.simulator.control_client import ControlClient
from mds_engine.simulator.faults import Fault, FaultKind

from mds_tui.app import ConsoleApp
from mds_tui.cli.simulator_process import SimulatorProcess
from mds_tui.cli.vendors import InstalledVendors
from mds_tui.settings import ConsoleSettings

SIZE = (140, 40)
WARM_S = 60
DOWN_S = 9


async def take() -> str:
    """Run the demo without a terminal, take Kite down, and return the screen as SVG."""
    vendors = InstalledVendors()
    with SimulatorProcess(seed=1) as simulator:
        address = simulator.address
        link = EmbeddedLink(lambda: Engine(demo_config(vendors, address), vendors, seed=1), beside=run_desk)
        app = ConsoleApp(link, settings=ConsoleSettings())
        try:
            async with app.run_test(size=SIZE, notifications=False):
                await asyncio.sleep(WARM_S)
                async with ControlClient(address.control) as control:
                    await control.inject("kite", Fault(kind=FaultKind.REFUSE))
                await asyncio.sleep(DOWN_S)
                return app.export_screenshot(title="mds-tui")
        finally:
            link.close()


if __name__ == "__main__":
    picture = asyncio.run(take())
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("console.svg")
    file.write_text(picture, encoding="utf-8")
