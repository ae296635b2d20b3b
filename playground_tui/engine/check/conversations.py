"""What must hold of assistants, threads, messages, runs and steps.

Times are held against each other only where the store itself takes the later of two: a clock may be put back.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select

from playground_tui.engine.check.rule import Finding, Rule
from playground_tui.engine.store.messages import first_message, text_of
from playground_tui.engine.store.tables import messages, threads
from playground_tui.engine.store.threads import fold

ASSISTANTS = (
    Rule(
        "assistant",
        "is not what its columns say",
        """SELECT id FROM assistants
            WHERE id IS NOT json_extract(body, '$.id') OR created_at IS NOT json_extract(body, '$.created_at')""",
    ),
    Rule(
        "assistant",
        "is not as its newest version has it",
        """SELECT id FROM assistants a WHERE body IS NOT
            (SELECT v.body FROM versions v WHERE v.assistant_id = a.id ORDER BY v.seq DESC LIMIT 1)""",
    ),
    Rule(
        "assistant",
        "and its newest version differ in whether it is deleted",
        """SELECT id FROM assistants a WHERE (deleted_at IS NOT NULL) IS NOT
            (SELECT v.action = 'deleted' FROM versions v WHERE v.assistant_id = a.id ORDER BY v.seq DESC LIMIT 1)""",
    ),
)

THREADS = (
    Rule(
        "thread",
        "is not what its columns say",
        """SELECT id FROM threads
            WHERE id IS NOT json_extract(body, '$.id') OR created_at IS NOT json_extract(body, '$.created_at')""",
    ),
    Rule(
        "thread",
        "counts {counted} messages and has {living}",
        """SELECT id, message_count AS counted, living FROM
            (SELECT t.id, t.message_count,
                (SELECT count(*) FROM messages m WHERE m.thread_id = t.id AND m.deleted_at IS NULL) AS living
            FROM threads t)
            WHERE counted <> living""",
    ),
    Rule(
        "thread",
        "was last used before what is in it was made",
        """SELECT id FROM threads t WHERE last_activity_at < max(
            coalesce((SELECT max(created_at) FROM messages m WHERE m.thread_id = t.id), 0),
            coalesce((SELECT max(created_at) FROM runs r WHERE r.thread_id = t.id), 0))""",
    ),
    Rule(
        "thread",
        "does not list the assistants that its runs had: {assistant}",
        """SELECT DISTINCT thread_id AS id, assistant_id AS assistant FROM runs
            EXCEPT SELECT thread_id, assistant_id FROM thread_assistants""",
    ),
)

MESSAGES = (
    Rule(
        "message",
        "is not what its columns say",
        """SELECT id FROM messages
            WHERE id IS NOT json_extract(body, '$.id') OR created_at IS NOT json_extract(body, '$.created_at')
            OR thread_id IS NOT json_extract(body, '$.thread_id') OR run_id IS NOT json_extract(body, '$.run_id')""",
    ),
    Rule(
        "message",
        "is {status} with the times of another status",
        """SELECT id, status FROM
            (SELECT id, json_extract(body, '$.status') AS status, json_extract(body, '$.completed_at') AS completed,
                json_extract(body, '$.incomplete_at') AS cut, json_extract(body, '$.incomplete_details') AS details
            FROM messages)
            WHERE CASE status
                WHEN 'in_progress' THEN completed IS NOT NULL OR cut IS NOT NULL OR details IS NOT NULL
                WHEN 'completed' THEN completed IS NULL OR cut IS NOT NULL OR details IS NOT NULL
                WHEN 'incomplete' THEN completed IS NOT NULL OR cut IS NULL OR details IS NULL
                ELSE 1 END""",
    ),
    Rule(
        "message",
        "belongs to run {run}, which its thread does not have",
        """SELECT m.id, m.run_id AS run FROM messages m LEFT JOIN runs r ON r.id = m.run_id
            WHERE m.run_id IS NOT NULL AND r.thread_id IS NOT m.thread_id""",
    ),
    Rule(
        "message",
        "is still being written, though its run has ended",
        """SELECT m.id FROM messages m LEFT JOIN runs r ON r.id = m.run_id
            WHERE json_extract(m.body, '$.status') = 'in_progress'
            AND coalesce(r.status, '') NOT IN ('queued', 'in_progress', 'requires_action', 'cancelling')""",
    ),
    Rule(
        "message",
        "was written by a run that has no step for it",
        """SELECT m.id FROM messages m WHERE m.run_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM steps s
            WHERE s.run_id = m.run_id
            AND json_extract(s.body, '$.step_details.message_creation.message_id') = m.id)""",
    ),
)

RUNS = (
    Rule(
        "run",
        "is not what its columns say",
        """SELECT id FROM runs
            WHERE id IS NOT json_extract(body, '$.id') OR created_at IS NOT json_extract(body, '$.created_at')
            OR thread_id IS NOT json_extract(body, '$.thread_id') OR status IS NOT json_extract(body, '$.status')
            OR assistant_id IS NOT json_extract(body, '$.assistant_id')""",
    ),
    Rule(
        "thread",
        "has {count} active runs at once",
        """SELECT thread_id AS id, count(*) AS count FROM runs
            WHERE status IN ('queued', 'in_progress', 'requires_action', 'cancelling')
            GROUP BY thread_id HAVING count > 1""",
    ),
    Rule(
        "run",
        "is {status} with the times of another status",
        """SELECT id, status FROM
            (SELECT id, status, json_extract(body, '$.completed_at') AS completed,
                json_extract(body, '$.failed_at') AS failed, json_extract(body, '$.cancelled_at') AS cancelled,
                json_extract(body, '$.expires_at') AS expires, json_extract(body, '$.started_at') AS started
            FROM runs)
            WHERE (completed IS NOT NULL) <> (status IN ('completed', 'incomplete'))
            OR (failed IS NOT NULL) <> (status = 'failed')
            OR (cancelled IS NOT NULL) <> (status = 'cancelled')
            OR (expires IS NULL) <> (status IN ('completed', 'incomplete', 'failed', 'cancelled'))
            OR (started IS NULL AND status IN ('in_progress', 'requires_action', 'completed', 'incomplete'))""",
    ),
    Rule(
        "run",
        "is {status} with the reasons of another status",
        """SELECT id, status FROM
            (SELECT id, status, json_extract(body, '$.last_error') AS error,
                json_extract(body, '$.incomplete_details') AS details,
                json_extract(body, '$.required_action') AS action, json_extract(body, '$.usage') AS usage
            FROM runs)
            WHERE (error IS NOT NULL) <> (status = 'failed')
            OR (details IS NOT NULL) <> (status = 'incomplete')
            OR (action IS NOT NULL) <> (status = 'requires_action')
            OR (usage IS NULL) <> (status IN ('queued', 'in_progress', 'requires_action', 'cancelling'))""",
    ),
)

STEPS = (
    Rule(
        "step",
        "is not what its columns say",
        """SELECT s.id FROM steps s JOIN runs r ON r.id = s.run_id
            WHERE s.id IS NOT json_extract(s.body, '$.id') OR s.run_id IS NOT json_extract(s.body, '$.run_id')
            OR s.created_at IS NOT json_extract(s.body, '$.created_at')
            OR r.thread_id IS NOT json_extract(s.body, '$.thread_id')
            OR r.assistant_id IS NOT json_extract(s.body, '$.assistant_id')
            OR json_extract(s.body, '$.type') IS NOT json_extract(s.body, '$.step_details.type')""",
    ),
    Rule(
        "step",
        "is {status} with the times of another status",
        """SELECT id, status FROM
            (SELECT id, json_extract(body, '$.status') AS status, json_extract(body, '$.completed_at') AS completed,
                json_extract(body, '$.failed_at') AS failed, json_extract(body, '$.cancelled_at') AS cancelled,
                json_extract(body, '$.expired_at') AS expired, json_extract(body, '$.last_error') AS error
            FROM steps)
            WHERE status NOT IN ('in_progress', 'completed', 'failed', 'cancelled', 'expired')
            OR (completed IS NOT NULL) <> (status = 'completed')
            OR (failed IS NOT NULL) <> (status = 'failed') OR (error IS NOT NULL) <> (status = 'failed')
            OR (cancelled IS NOT NULL) <> (status = 'cancelled')
            OR (expired IS NOT NULL) <> (status = 'expired')""",
    ),
    Rule(
        "step",
        "is still in progress, though its run has ended",
        """SELECT s.id FROM steps s JOIN runs r ON r.id = s.run_id
            WHERE json_extract(s.body, '$.status') = 'in_progress'
            AND r.status NOT IN ('queued', 'in_progress', 'requires_action', 'cancelling')""",
    ),
    Rule(
        "step",
        "has ended without a usage",
        """SELECT id FROM steps
            WHERE json_extract(body, '$.status') <> 'in_progress' AND json_extract(body, '$.usage') IS NULL""",
    ),
    Rule(
        "step",
        "wrote message {message}, which its thread does not have",
        # A message that was deleted is purged while its run may stay: it can be missing only after a while.
        """SELECT s.id, json_extract(s.body, '$.step_details.message_creation.message_id') AS message
            FROM steps s JOIN runs r ON r.id = s.run_id
            WHERE json_extract(s.body, '$.type') = 'message_creation' AND s.created_at > :purged
            AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.thread_id = r.thread_id
                AND m.id = json_extract(s.body, '$.step_details.message_creation.message_id'))""",
    ),
    Rule(
        "step",
        "is completed, and its function call {call} has no output",
        """SELECT s.id, json_extract(t.value, '$.id') AS call
            FROM steps s, json_each(s.body, '$.step_details.tool_calls') t
            WHERE json_extract(s.body, '$.status') = 'completed'
            AND json_extract(t.value, '$.type') = 'function'
            AND json_extract(t.value, '$.function.output') IS NULL""",
    ),
    Rule(
        "run",
        "waits for the output of call {call}, which none of its steps has waiting",
        """SELECT r.id, json_extract(a.value, '$.id') AS call
            FROM runs r, json_each(r.body, '$.required_action.submit_tool_outputs.tool_calls') a
            WHERE r.status = 'requires_action' AND NOT EXISTS (
                SELECT 1 FROM steps s, json_each(s.body, '$.step_details.tool_calls') t
                WHERE s.run_id = r.id AND json_extract(s.body, '$.status') = 'in_progress'
                AND json_extract(t.value, '$.id') = json_extract(a.value, '$.id')
                AND json_extract(t.value, '$.function.output') IS NULL)""",
    ),
)

RULES = (*ASSISTANTS, *THREADS, *MESSAGES, *RUNS, *STEPS)


def unsearchable_messages(c: Connection) -> Iterator[Finding]:
    """Messages that are found by other words than theirs."""
    with c.execute(select(messages.c.id, messages.c.folded, messages.c.body)) as rows:
        for row in rows:
            if row.folded != fold(text_of(row.body)):
                yield Finding("message", row.id, "is found by other words than its own")


def misnamed_threads(c: Connection) -> Iterator[Finding]:
    """Threads that are listed with another text than their first message's."""
    for row in c.execute(select(threads.c.id, threads.c.first_message)).all():
        if row.first_message != first_message(c, row.id):
            yield Finding("thread", row.id, "is listed with a text that is not its first message's")
