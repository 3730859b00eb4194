"""Guards of the decision, each with what it becomes when somebody takes it away. Read by ``test_mutations``.

``before`` must occur exactly once in the file, so that a mutant cannot quietly stop mutating.
"""

from typing import NamedTuple


class Mutant(NamedTuple):
    """``file`` below ``edge``; ``tests`` that must fail, below ``tests``."""

    file: str
    before: str
    after: str
    tests: tuple[str, ...]


_DOOR = ("core/test_door.py",)
_RULES = ("core/test_rules.py", "core/test_schedule.py", "core/test_lockout.py", "core/test_keys.py")
_GUARDIAN = ("guardian/test_rules.py", "guardian/test_alarms.py")
_EVIDENCE = ("core/test_evidence.py", "core/test_attempts.py")
_DRILL = ("guardian/test_drill.py",)
_LIVING = ("core/test_living.py", "core/test_challenge.py")

MUTANTS: dict[str, Mutant] = {
    "a passed deadline is not honoured": Mutant("core/door.py", "if not now_s < until_s:", "if False:", _DOOR),
    "a clock gone mad keeps the door open": Mutant(
        "core/door.py", "if not now_s < until_s:", "if now_s >= until_s:", _DOOR
    ),
    "free hours are not renewed": Mutant("core/door.py", "now_s >= door.renew_s", "False", _DOOR),
    "free hours are released in one piece": Mutant(
        "core/door.py",
        "return freed, [Release(min(until_s, now_s + HOLD_S))]",
        "return freed, [Release(until_s)]",
        _DOOR,
    ),
    "a renewal outlasts the free hours": Mutant(
        "core/door.py",
        "commands = [Release(min(until_s, now_s + HOLD_S))]",
        "commands = [Release(now_s + HOLD_S)]",
        _DOOR,
    ),
    "an open door never alarms": Mutant(
        "core/door.py", "door.alarm_s is not None and not now_s < door.alarm_s", "False", _DOOR
    ),
    "an unlisted pair is ignored": Mutant(
        "core/door.py", "door, more = _fault(door, reason, latched=False)", "door, more = door, []", _DOOR
    ),
    "a second grant moves the deadline": Mutant("core/door.py", " and door.state not in RELEASED:", ":", _DOOR),
    "free hours in free hours move the deadline": Mutant(
        "core/door.py", " and door.state is not State.FREE:", ":", _DOOR
    ),
    "a grant has no bounds": Mutant(
        "core/door.py",
        '    if not 0 < event.for_s <= UNLOCK_MAX_S:\n        return _fault(door, f"a release',
        '    if False:\n        return _fault(door, f"a release',
        _DOOR,
    ),
    "free hours have no bounds": Mutant("core/door.py", "if not 0 < event.for_s <= FREE_MAX_S:", "if False:", _DOOR),
    "tampering does not latch": Mutant("core/door.py", "latched=event.signal in LATCHING)", "latched=False)", _DOOR),
    "a later fault unlatches": Mutant(
        "core/door.py", "if door.state is State.FAULT and (door.latched or not latched):", "if False:", _DOOR
    ),
    "a passed check ends a latched fault": Mutant(
        "core/door.py", "if door.state is State.FAULT and not door.latched:", "if door.state is State.FAULT:", _DOOR
    ),
    "an opening without right is no alarm": Mutant(
        "core/door.py",
        'return replace(door, state=State.FORCED, reason="the door was forced"), []',
        "return replace(door, alarm_s=now_s + terms.held_open_s), []",
        _DOOR,
    ),
    "an opening by right is an alarm": Mutant(
        "core/door.py", "(door.state is State.LOCKED and now_s < door.shunt_s)", "False", _DOOR
    ),
    "a shunt has no bounds": Mutant(
        "core/door.py",
        "if door.state is State.LOCKED and 0 < event.for_s <= UNLOCK_MAX_S:",
        "if door.state is State.LOCKED:",
        _DOOR,
    ),
    "a shunt outlasts the shut door": Mutant(
        "core/door.py", "is_open=False, alarm_s=None, shunt_s=-math.inf)", "is_open=False, alarm_s=None)", _DOOR
    ),
    "the bolt stays released when the door opens": Mutant(
        "core/door.py", "if door.state is State.UNLOCKED and terms.relock_on_open:", "if False:", _DOOR
    ),
    "the bolt stays released when the door is shut": Mutant(
        "core/door.py", "if door.state is State.UNLOCKED and was_open:", "if False:", _DOOR
    ),
    "a lockdown leaves a release alone": Mutant(
        "core/door.py", "(door.state is State.UNLOCKED and event.signal is Signal.SECURE)", "False", _DOOR
    ),
    "an operator's clearing ends the alarm for good": Mutant(
        "core/door.py",
        "        alarm_s = now_s + terms.held_open_s if door.is_open else None\n"
        "        return replace(door, state=State.LOCKED, reason=Signal",
        "        alarm_s = None\n        return replace(door, state=State.LOCKED, reason=Signal",
        _DOOR,
    ),
    "a stale look counts": Mutant("core/evidence.py", "if not age_s <= terms.look_age_max_s:", "if False:", _EVIDENCE),
    "a look from the future counts": Mutant(
        "core/evidence.py", "if not age_s >= -FUTURE_MAX_S:", "if False:", _EVIDENCE
    ),
    "looks after a crowd count": Mutant(
        "core/evidence.py", "if look.captured_s <= self._spoilt_until_s:", "if False:", _EVIDENCE
    ),
    "a track is granted again and again": Mutant(
        "core/evidence.py", "if look.track in self._settled:", "if False:", _EVIDENCE
    ),
    "looks of two tracks are added up": Mutant(
        "core/evidence.py", "if approach is None or approach.track != look.track:", "if approach is None:", _EVIDENCE
    ),
    "one look sent again counts again": Mutant(
        "core/evidence.py", "if look.captured_s <= approach.captured_s:", "if False:", _EVIDENCE
    ),
    "looks far apart are one approach": Mutant(
        "core/evidence.py", " or now_s - approach.last_s > GONE_S:", ":", _EVIDENCE
    ),
    "one look suffices": Mutant(
        "core/stopping.py", "if looks < self.looks_min:", "if looks < 1:", ("core/test_stopping.py",)
    ),
    "an approach of one look is an attempt": Mutant(
        "core/evidence.py", " and pool.looks >= stopping.looks_min:", ":", _EVIDENCE
    ),
    "the first looks need be no clearer": Mutant(
        "core/evidence.py", "needed = stopping.needed(pool.looks, ", "needed = stopping.needed(99, ", _EVIDENCE
    ),
    "a look at somebody else does not matter": Mutant(
        "core/evidence.py", "approach.named not in (None, named.person_id):", "False:", _EVIDENCE
    ),
    "looks name one and together resemble another": Mutant(
        "core/evidence.py",
        "if match is not None and approach.named in (None, match.person_id):",
        "if match is not None:",
        _EVIDENCE,
    ),
    "an approach has no last look": Mutant(
        "core/evidence.py", "if approach.looks >= stopping.looks_max:", "if False:", _EVIDENCE
    ),
    "whoever was refused tries on": Mutant(
        "core/evidence.py", "if pause is not None and now_s < pause.until_s:", "if False:", _EVIDENCE
    ),
    "whoever was refused never tries again": Mutant("core/evidence.py", " and now_s < pause.until_s:", ":", _EVIDENCE),
    "a second face leaves what was gathered": Mutant(
        "core/evidence.py",
        "        self._end_approach()\n        self._grant = None\n",
        "        self._grant = None\n",
        _EVIDENCE,
    ),
    "another face inherits the track": Mutant(
        "core/track.py",
        "track.pool.agreement(embedding) >= SAME_FACE_MIN",
        "True",
        ("core/test_track.py",),
    ),
    "a poor look is worth as much as a good one": Mutant(
        "core/quality.py", "return max(sharp * sure, WEIGHT_MIN)", "return 1.0", ("core/test_pool.py",)
    ),
    "the margin does not matter": Mutant("core/match.py", " and match.margin >= margin_min", "", _EVIDENCE),
    "a face that is not live counts": Mutant(
        "core/evidence.py", "        if not is_live:", "        if False:", _EVIDENCE
    ),
    "a face that is not live keeps a grant": Mutant(
        "core/evidence.py", "named if is_live else None)", "named)", _EVIDENCE
    ),
    "a missing liveness is live": Mutant(
        "core/evidence.py",
        "(look.liveness is not None and look.liveness >= terms.liveness_min)",
        "(look.liveness is None or look.liveness >= terms.liveness_min)",
        _EVIDENCE,
    ),
    "an undecided face counts": Mutant(
        "core/evidence.py",
        "if not is_live:",
        "if not is_live and not (look.liveness or 0) >= (terms.attack_max or 1):",
        _EVIDENCE,
    ),
    "a missing liveness is not decided yet": Mutant(
        "core/evidence.py",
        "look.liveness is None or not look.liveness >= self._terms.attack_max > 0",
        "not (look.liveness is None or look.liveness >= self._terms.attack_max > 0)",
        _EVIDENCE,
    ),
    "nothing but the whole approach is judged": Mutant(
        "core/living/judge.py", "probability(looks[-LOOKS_NEEDED:], weights)", "1.0", _LIVING
    ),
    "one look makes a face live": Mutant(
        "core/living/judge.py", "weakest if len(looks) >= LOOKS_NEEDED else min(weakest, UNDECIDED)", "weakest", _LIVING
    ),
    "a look that was not measured changes nothing": Mutant(
        "core/living/judge.py",
        "        if signs is None or not _usable(signs):\n            self.forget(track)\n",
        "        if signs is None or not _usable(signs):\n",
        _LIVING,
    ),
    "a missing sign is the best": Mutant(
        "core/living/judge.py", "_mean(straight, EDGES_WORST)", "_mean(straight, 0.0)", _LIVING
    ),
    "tracks vouch for each other": Mutant(
        "core/living/judge.py",
        "found = self._tracks.get(track)\n        if found is None or not 0 <",
        "found = self._tracks.get(min(self._tracks, default=0))\n        if found is None or not 0 <",
        _LIVING,
    ),
    "a picture may pass a challenge": Mutant(
        "core/living/challenge.py",
        'self._when == "never" or alive is None or not alive >= self._attack_max',
        'self._when == "never" or alive is None',
        _LIVING,
    ),
    "the wrong side is as good": Mutant("core/living/challenge.py", "wrong.get(ask, False) or ", "", _LIVING),
    "an answer before the question counts": Mutant(
        "core/living/challenge.py", " or (done[ask] and after_s < REACT_MIN_S)", "", _LIVING
    ),
    "another face answers": Mutant(
        "core/living/challenge.py", "approach.asked is not None and not _like(approach.asked, look)", "False", _LIVING
    ),
    "tasks without end": Mutant("core/living/challenge.py", " or not named or spent:", " or not named:", _LIVING),
    "a grant outlives its face": Mutant(
        "core/evidence.py",
        "if self._grant is not None and not now_s - self._agreed_s <= GRANT_S:",
        "if False:",
        _EVIDENCE,
    ),
    "a grant outlives turning away": Mutant(
        "core/evidence.py", "if self._grant is not None and look.track == self._grant.track:", "if False:", _EVIDENCE
    ),
    "a grant passes to another face": Mutant(
        "core/evidence.py", "if (look.track, named.person_id) == (grant.track, grant.person_id):", "if True:", _EVIDENCE
    ),
    "a near miss is no attempt": Mutant(
        "core/evidence.py", "if not (is_near or acceptable(", "if not (acceptable(", _EVIDENCE
    ),
    "a clear stranger is an attempt": Mutant(
        "core/evidence.py",
        "is_near = terms.similarity_min - terms.near_miss <= match.similarity <",
        "is_near = match.similarity <",
        _EVIDENCE,
    ),
    "an attempt is at whom the last look resembled": Mutant(
        "core/evidence.py",
        "if approach.closest is None or match.similarity > approach.closest.similarity:",
        "if True:",
        _EVIDENCE,
    ),
    "an approach lasts for ever": Mutant(
        "core/evidence.py", "APPROACH_S and approach.refusal is not None:", "1e9:", _EVIDENCE
    ),
    "eyes that restart wipe an attempt": Mutant(
        "core/evidence.py",
        "        self._end_approach()\n        self._pauses: dict",
        "        self._approach = None\n        self._pauses: dict",
        _EVIDENCE,
    ),
    "a disabled person comes in": Mutant("core/rules.py", "if permission.disabled:", "if False:", _RULES),
    "spent uses come in": Mutant("core/rules.py", "permission.uses_left <= 0", "permission.uses_left < -5", _RULES),
    "a lockdown lets people in": Mutant("core/rules.py", "if mode is Mode.LOCKDOWN:", "if False:", _RULES),
    "an untrusted clock is believed": Mutant(
        "core/rules.py", "if not moment.trusted and not house.untrusted_opens:", "if False:", _RULES
    ),
    "an untrusted clock frees the door": Mutant(
        "core/rules.py", "house.free is not None and moment.trusted and", "house.free is not None and", _RULES
    ),
    "an untrusted clock ends the night": Mutant(
        "core/rules.py",
        "house.night is not None and not moment.trusted and not house.untrusted_opens:",
        "False:",
        _RULES,
    ),
    "a date that is none lets people in": Mutant(
        "core/rules.py", 'return "this person\'s dates or hours cannot be read"', "return None", _RULES
    ),
    "the end of a permission does not matter": Mutant(
        "core/rules.py", "if end is not None and moment.local >= end:", "if False:", _RULES
    ),
    "a holiday is a day like any other": Mutant(
        "core/schedule.py", "HOLIDAY if day in holidays else day.weekday()", "day.weekday()", _RULES
    ),
    "hours end at midnight": Mutant("core/schedule.py", "for back in (0, 1):", "for back in (0,):", _RULES),
    "a lockout does not grow": Mutant("core/lockout.py", "2.0 ** min(claimed.level, 30)", "1.0", _RULES),
    "a lockout grows for ever": Mutant(
        "core/lockout.py", ", max(self._terms.max_s, self._terms.first_s))", ", 1e9)", _RULES
    ),
    "attempts are never forgotten": Mutant(
        "core/lockout.py", "claimed.attempts = max(0, claimed.attempts - forgiven)", "pass", _RULES
    ),
    "a restart ends a lockout": Mutant(
        "core/lockout.py",
        "until_s = now_s + min(left_s, longest_s) if left_s else -math.inf",
        "until_s = -math.inf",
        _RULES,
    ),
    "wrong PINs do not wait": Mutant("core/keys.py", "if self._wrong >= WRONG_ALLOWED:", "if False:", _RULES),
    "half a PIN is kept for the next": Mutant(
        "core/keys.py", "if not now_s - self._last_s <= PIN_PAUSE_S:", "if False:", _RULES
    ),
    "a locked-out face opens": Mutant(
        "entrance.py",
        "self._access.refusal(verdict.person_id) or self._lockout(verdict.person_id)",
        "self._access.refusal(verdict.person_id)",
        _GUARDIAN,
    ),
    "rules are not asked": Mutant("entrance.py", "self._access.refusal(verdict.person_id) or ", "", _GUARDIAN),
    "a face alone opens at night": Mutant(
        "entrance.py",
        "if reason is None and self._access.pin_required(verdict.person_id):",
        "if False:",
        _GUARDIAN,
    ),
    "a PIN opens at night without its face": Mutant(
        "entrance.py", "if standing is None or standing.person_id != found.person_id:", "if False:", _GUARDIAN
    ),
    "night lets in by PIN whom the rules refuse": Mutant(
        "entrance.py",
        "if reason is None and self._access.mode_now() is Mode.NIGHT:",
        "if self._access.mode_now() is Mode.NIGHT:",
        _GUARDIAN,
    ),
    "a lockout ends at night with the PIN": Mutant("entrance.py", "elif not found.duress:", "elif False:", _GUARDIAN),
    "a lockout holds a duress PIN back": Mutant("entrance.py", "elif not found.duress:", "else:", _GUARDIAN),
    "a duress PIN has to wait": Mutant("access.py", "(found.duress or waits is None)", "waits is None", _GUARDIAN),
    "wrong PINs are not slowed down": Mutant("access.py", "(found.duress or waits is None)", "True", _GUARDIAN),
    "any number of PINs is looked at": Mutant(
        "entrance.py",
        "if now_s - self._pin_s < (PIN_WAITING_EVERY_S if waits else PIN_EVERY_S):",
        "if False:",
        _GUARDIAN,
    ),
    "a duress PIN may be guessed at": Mutant(
        "entrance.py", "(PIN_WAITING_EVERY_S if waits else PIN_EVERY_S)", "PIN_EVERY_S", _GUARDIAN
    ),
    "a use is not counted as a release ends": Mutant(
        "entrance.py",
        "self._latch.move(dr.Event(dr.Signal.TICK), self._teller)  # a release",
        "pass  # a release",
        _GUARDIAN,
    ),
    "a use that cannot be counted opens": Mutant("entrance.py", "if uncounted is not None:", "if False:", _GUARDIAN),
    "a latched fault ends with its power": Mutant(
        "guardian.py", 'reason = self._store.setting("latched") or ""', 'reason = ""', _GUARDIAN
    ),
    "an open case passes the self-check": Mutant("latch.py", " and not self.tampered:", ":", _GUARDIAN),
    "nobody looks whether a released bolt obeys": Mutant(
        "latch.py", "if self.door.state in dr.RELEASED and not self._bolt.obeys():", "if False:", _GUARDIAN
    ),
    "the watchdog is fed whatever the bolt does": Mutant(
        "latch.py",
        "return self._bolt.released == (self.door.state in dr.RELEASED) and self._bolt.obeys()",
        "return True",
        _GUARDIAN,
    ),
    "nobody looks whether the bolt is astray": Mutant(
        "latch.py", "elif self.door.state is not dr.State.FAULT and self._is_astray():", "elif False:", _GUARDIAN
    ),
    "a contact that bounces counts": Mutant(
        "core/debounce.py",
        "is_settled = now_s - self._since_s >= self._settle_s",
        "is_settled = True",
        ("core/test_debounce.py",),
    ),
    "an input that never rests keeps its level": Mutant(
        "core/debounce.py",
        "return None if self.is_restless else self._settled",
        "return self._settled",
        ("core/test_debounce.py",),
    ),
    "a contact that cannot be trusted is peaceful": Mutant(
        "devices/sensors.py",
        "Sensed(which, which in ALARMING, why)",
        "Sensed(which, False, why)",
        ("devices/test_sensors.py",),
    ),
    "a door found open was forced": Mutant(
        "core/door.py",
        "return Door(is_open=is_open, alarm_s=now_s + terms.held_open_s if is_open else None)",
        "return Door()",
        _GUARDIAN,
    ),
    "a refusal quietens an alarm": Mutant(
        "core/signs.py",
        "if self._steady is Sign.ALARM and sign is not Sign.WELCOME:",
        "if False:",
        ("core/test_signs.py",),
    ),
    "a wrong template counts like the right ones": Mutant(
        "core/centre.py", "_agreement(part, sums[whose] - part))", "np.float32(1))", ("core/test_centre.py",)
    ),
    "a template agrees with itself": Mutant(
        "core/centre.py", "sums[whose] - part)", "sums[whose])", ("core/test_centre.py",)
    ),
    "a pulse has no upper limit": Mutant(
        "devices/bolt.py", "if not left_s <= PULSE_MAX_S:", "if False:", ("devices/test_bolt.py",)
    ),
    "a pulse has no lower limit": Mutant(
        "devices/bolt.py", "if not left_s >= PULSE_MIN_S:", "if False:", ("devices/test_bolt.py",)
    ),
    "an operator clears too early": Mutant(
        "guardian.py", "self._count_attempts()  # those that", "pass  # those that", _GUARDIAN
    ),
    "a frame from the future spoils until then": Mutant(
        "approaches.py", "min(captured_s, self._clock.now_s())", "captured_s", ("guardian/test_faces.py",)
    ),
    "faces open the door while somebody is enrolled": Mutant(
        "guardian.py",
        "if self._booth.occupied:\n            self._booth.see",
        "if False:\n            self._booth.see",
        ("guardian/test_booth.py",),
    ),
    "somebody else joins an enrolment": Mutant(
        "core/sitting.py",
        "if not similarities.min() >= SAME_PERSON_MIN:",
        "if False:",
        ("core/test_sitting.py",),
    ),
    "an unreadable mode is normal": Mutant(
        "access.py",
        "self._permissions, self._pins, self.mode = None, [], Mode.LOCKDOWN",
        "self._permissions, self._pins, self.mode = {}, [], Mode.NORMAL",
        _GUARDIAN,
    ),
    "a drill with an attack that passed is passed": Mutant(
        "core/drill.py", "if shown.opened:", "if False:", ("core/test_drill.py",)
    ),
    "a drill needs no kind of attack": Mutant(
        "core/drill.py", "if tally.get(kind, Count()).shown < needed:", "if False:", ("core/test_drill.py",)
    ),
    "a drill needs no sixty attacks": Mutant(
        "core/drill.py", "if shown.shown < ATTACKS_MIN:", "if False:", ("core/test_drill.py",)
    ),
    "a lock that refuses everybody passes its drill": Mutant(
        "core/drill.py", "if mine.opened < LET_IN_MIN * mine.shown:", "if False:", ("core/test_drill.py",)
    ),
    "a face opens alone without a drill": Mutant(
        "entrance.py", "reason = reason or self._proof.refusal() or None", "pass", _DRILL
    ),
    "faces open the door in a drill": Mutant(
        "guardian.py",
        "if self._drill.occupied:\n            self._drill.see",
        "if False:\n            self._drill.see",
        _DRILL,
    ),
    "a drill holds for any camera and threshold": Mutant(
        "proof.py", "if now == was:\n                continue", "continue", _DRILL
    ),
    "a drill that cannot be read is passed over": Mutant("proof.py", "if self._unreadable:", "if False:", _DRILL),
    "a drill that expired is gone on with": Mutant(
        "proof.py", "if record is None or record.basis != here:", "if record is None:", _DRILL
    ),
    "a record may say anything": Mutant(
        "proof.py", "if any(opened > shown for shown, opened in self.counts.values()):", "if False:", _DRILL
    ),
    "a picture of nobody counts": Mutant("drill.py", "if presenting.known is None:", "if False:", _DRILL),
    "coming closer is being alive": Mutant("core/living/challenge.py", "if ask is Ask.NEARER:", "if False:", _LIVING),
    "a wrong turn is one of two": Mutant(
        "core/living/challenge.py", "self._asked_s.extend([look.captured_s] * TASKS_MAX)", "pass", _LIVING
    ),
    "a picture lowered early counts": Mutant("drill.py", "< AFTER_MIN:", "< 0:", _DRILL),
    "eyes that are silent are forgotten": Mutant(
        "guardian.py",
        "        self._lose_sight()\n        if self._eyes",
        "        self._lose_sight()\n        self._proof.gone()\n        if self._eyes",
        _DRILL,
    ),
    "a picture hardly seen counts": Mutant("drill.py", "if presenting.looks.total() < LOOKS_MIN:", "if False:", _DRILL),
    "what was judged once is judged again": Mutant(
        "drill.py", "if any(look.track <= self._spent_track for look in looks):", "if False:", _DRILL
    ),
    "looks from before a presentation count": Mutant(
        "drill.py", "if not presenting.began_s <= report.captured_s", "if not 0 <= report.captured_s", _DRILL
    ),
}
