import asyncio, time, sys
from tests.walks.mortal import *
from tests.doubles.slack import *
from tests.doubles.model import *
async def main(url):
    async with SlackDouble() as slack, ModelDouble() as model:
        env={"BOT_DATABASE_URL":url,"BOT_DATA_DIR":"/tmp/mortal-data","BOT_MODEL__BASE_URL":model.url,"BOT_MODEL__API_KEY":"x","BOT_MODEL__NAME":"double-1",
        "BOT_SLACK__BOT_TOKEN":BOT_TOKEN,"BOT_SLACK__APP_TOKEN":APP_TOKEN,"BOT_SLACK__API_URL":slack.api_url}
        for n in range(3):
            m=Mortal(env); slack.watch=m.watch
            t=time.time(); await m.start(); print("ready",time.time()-t)
            await slack.until(lambda: slack.sockets.open); print("socket",time.time()-t)
            ts=await slack.say("U0ANN","C0GENERAL","<@U0BOT> hi")
            await slack.until(lambda: [p for p in slack.answers("C0GENERAL",ts) if not p.streaming]); print("ans",time.time()-t)
            await asyncio.sleep(0.3)
            print(m.commits,m.calls)
            await m.kill(); print("dead",time.time()-t)
def test_x(database_url):
    asyncio.run(main(database_url))
