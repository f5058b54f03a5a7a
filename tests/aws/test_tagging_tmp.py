import time, json, traceback
from datetime import timedelta
import boto3, pytest
from tests.support.tagging_world import tagging_cloud, step
from tests.support.crashes import at_call, killed_at, KilledError
def show(w,a,i,tag=""):
    print(tag,[ (o["action"],o["reason"],o["result"],(o.get("error") or {}).get("code")) for o in a["outcomes"] if o["target"]==i], w.mark(i), w.state(i), {k:v for k,v in w.remembered.get(i,{}).items() if k in("told","marked_until","stopped")})
def mails(w):
    for m in w.stack.alerts(): print(m["Subject"], [(x["kind"],x["resource"],x["what"]) for x in m["incidents"]])
def upto_stop(w,i):
    w.run_once(); w.daily(); w.later(days=7); return w.daily()
def test_stopping_then_tags():
  with tagging_cloud() as w:
    i=w.machine(); w.machine("x"); w.run_once(); w.daily(); w.later(days=7); w.cloud.extras.switching_seconds=300
    w.run_once(); w.retag(i,Owner="bob"); w.clock.advance(60); 
    a=w.run_once(); print([(o["action"],o["reason"],o["result"]) for o in a["outcomes"] if o["target"]==i]); w.later(days=1)
    a=w.run_once(); show(w,a,i,"S")
  assert 0
def test_overflow():
  with tagging_cloud() as w:
    i=w.machine(); w.machine("x"); w.run_once(); w.daily(); 
    w.retag(i,**{"caretaker__stop_after":"9999-12-31T23:59:59-05:00"})
    print(w.account.tags_of(i))
    a=w.daily(); print(a)
  assert 0
def test_owner_writes_before_mark():
  with tagging_cloud() as w:
    i=w.machine(); w.machine("x"); w.run_once(); 
    w.account.tag(i,{"caretaker:stop-after":"2027-06-01T00:00:00Z"})
    try: print(w.daily())
    except AssertionError as e: print("BLAMED", str(e)[:300])
    print(w.mark(i))
  assert 0
def test_memory_denied():
  with tagging_cloud() as w:
    i=w.machine(); w.machine("x");  w.cloud.faults.add("denied",operation="PutItem",match="escalations#tagging/default/123456789012/eu-west-1",times=None)
    a=w.run_once(); show(w,a,i)
  assert 0
def test_stop_lost():
  with tagging_cloud() as w:
    i=w.machine(); w.machine("x"); w.run_once(); w.daily(); w.later(days=7);
    w.cloud.faults.add("answer_lost",operation="StopInstances",times=None)
    a=w.run_once(); show(w,a,i); w.cloud.faults.clear()
    w.retag(i,Owner="bob"); w.later(days=1); a=w.run_once(); show(w,a,i)
  assert 0
def test_protected():
  with tagging_cloud() as w:
    i=w.machine(stop_protected=True); w.machine("x"); w.run_once(); w.daily(); w.later(days=7); mails(w)
    a=w.run_once(); show(w,a,i); print(a["summary"]);mails(w)
  assert 0
def test_two_owners_one_topic():
  with tagging_cloud() as w:
    rules={"Env":{"escalate":True,"applies_to":["instance"]}}
    t=w.owner("ann"); w.owners["bob"]=t
    i=w.machine("ann"); j=w.machine("bob"); w.run_once(rules=rules); print(w.letters("ann"))
  assert 0
def test_doubted_third():
  with tagging_cloud() as w:
    i=w.machine()
    rules={"Owner":{"default":"us","applies_to":["instance"]}}
    w.cloud.faults.add("never_arrived",operation="CreateTags",times=2)
    at_call(w.cloud,"CreateTags",lambda: w.retag(i,Owner="mine"),nth=2)
    try: a=w.run_once(rules=rules); show(w,a,i)
    except AssertionError as e: print("BLAMED", str(e)[:300])
    print(w.account.tags_of(i))
  assert 0
def test_killed_before_alert():
  with tagging_cloud() as w:
    i=w.machine(); w.machine("x"); w.run_once(); w.daily(); w.later(days=7); mails(w)
    with killed_at(w.cloud,"StopInstances",1,effective=True):
        try: w.run_once(request="r1")
        except KilledError: pass
    w.clock.advance(61); a=w.run_once(request="r1"); show(w,a,i); print("MAIL"); mails(w)
  assert 0
def test_earlier_slot():
  with tagging_cloud() as w:
    i=w.machine(); w.machine("x"); w.run_once(scheduled_time="2026-11-21T03:00:00Z")
    try: a=w.run_once(scheduled_time="2026-11-20T03:00:00Z"); show(w,a,i)
    except AssertionError as e: print("BLAMED", str(e)[:300])
  assert 0
def test_stopped_tagless():
  with tagging_cloud() as w:
    i=w.machine("ann",state="stopped"); w.account.hide_tags(i)
    rules={"Owner":{"default":"us","applies_to":["instance"]}}
    try: a=w.run_once(rules=rules); show(w,a,i)
    except AssertionError as e: print("BLAMED", str(e)[:300])
    print(w.account.tags_of(i))
  assert 0
