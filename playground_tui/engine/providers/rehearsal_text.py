"""The long Markdown text of `rehearsal/markdown`: about 1,800 tokens with everything an answer may contain."""

MARKDOWN = r"""*rehearsal/markdown: no language model is connected. This text is always the same.*

# A text to look at

It has what answers of a model usually have, so that the way they are shown can be judged without one: **bold**
words, *emphasis*, `code` in a line, ~~struck~~ words, a [link](https://example.com/docs?page=2#anchor), quotes,
lists, code and tables. Nothing in it is meant to be believed.

## 1. Lists

Three things to do before a release:

1. Read the change log aloud. What sounds wrong usually is.
2. Start the program on an empty machine:
   - without a configuration,
   - without a network,
   - in a window of 60 columns, where
     - a table does not fit,
     - and a long line has to be folded somewhere sensible.
3. Ask somebody else to do it again.

What should never happen:

- a key that does nothing and does not say why;
- text that moves while somebody reads it;
- a question asked twice, for example
  > Do you really want to leave? There are unsaved changes.

  when there are none;
- [x] a box that was ticked
- [ ] and one that was not

## 2. Code

A small parser for durations, in Python:

```python
import re
from datetime import timedelta

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
PART = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")


def duration(text: str) -> timedelta:
    '''`1h 30m` as a timedelta. Raises ValueError for anything else.'''
    parts = PART.findall(text)
    if not parts or PART.sub("", text).strip():
        raise ValueError(f"not a duration: {text!r}")
    return sum((timedelta(**{UNITS[unit]: float(number)}) for number, unit in parts), timedelta())


assert duration("1h 30m") == timedelta(minutes=90)
```

The same in TypeScript, for the browser:

```typescript
const UNITS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };

export function duration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*([smhd])/g)];
  if (parts.length === 0) {
    throw new RangeError(`not a duration: ${JSON.stringify(text)}`);
  }
  return parts.reduce((total, [, number, unit]) => total + Number(number) * UNITS[unit], 0);
}
```

And in Rust, where the units are a `match` and a wrong one is an error that the caller sees:

```rust
/// Seconds in a duration such as `1h 30m`.
pub fn duration(text: &str) -> Result<u64, String> {
    let mut total = 0;
    for part in text.split_whitespace() {
        let (number, unit) = part.split_at(part.len() - 1);
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            other => return Err(format!("unknown unit: {other}")),
        };
        total += number.parse::<u64>().map_err(|error| error.to_string())? * seconds;
    }
    Ok(total)
}
```

How long the slowest requests took, from a log in SQL:

```sql
SELECT path, count(*) AS requests, round(max(ended - started), 3) AS slowest
FROM requests
WHERE started >= now() - interval '1 day'
GROUP BY path
HAVING count(*) > 10
ORDER BY slowest DESC
LIMIT 20;
```

And what to run when that list is too long:

```bash
#!/usr/bin/env bash
set -euo pipefail

for host in web-{1..4}; do
  ssh "$host" 'journalctl -u app --since "1 hour ago" | grep -c "took [0-9]\{4,\} ms"' \
    | sed "s/^/$host: /"
done
```

Its settings are a few lines of JSON:

```json
{
  "hosts": ["web-1", "web-2", "web-3", "web-4"],
  "limit_ms": 1000,
  "notify": { "channel": "#operations", "quiet_hours": [22, 7], "urgent": false }
}
```

## 3. Tables

| stage | waits for | usual time | when it fails |
|:--|:--|--:|:--|
| queue | a free worker | 40 ms | it waits, and says so |
| request | the provider | 300 ms | retried twice, then reported |
| first token | the model | 0.5 to 4 s | the run fails with its reason |
| stream | the network | 5 ms each | followed again from the last event |
| store | the disk | 2 ms | kept in memory, written later |

Numbers line up on the right, and a cell may hold `code`, **bold** text or a pipe written as `\|`.

| language | greeting | script |
|---|---|---|
| Greek | Καλημέρα | Greek |
| Japanese | おはようございます | Kana |
| Hindi | नमस्ते | Devanagari |
| Arabic | صباح الخير | Arabic |
| Icelandic | Góðan daginn | Latin |

## 4. Quotes

> The first rule of a tool is that it does what it says.
>
> The second is that it says what it does:
>
> > in words,
> > at the time,
> > in the place where one looks.
>
> A third was never needed.

---

## 5. A longer passage

A terminal is a grid of cells and a stream of bytes. Everything that appears in it was sent, byte by byte, over a line
that may be a wire in the same room or a radio link on another continent. A program that repaints what has not changed
is therefore not only slow: it is slow for the person who has the worst line, and that person did nothing wrong. The
remedy is old. Remember what is on the screen, compare, and send the difference.

The same holds for attention. A reader who has found a sentence and finds it gone, because three new lines came in
below, has to begin again. It costs a second each time, and the seconds add up to the feeling that a program is
restless. A page that fills from top to bottom and turns when it is full has been a good answer for a few hundred years.

### 5.1 What follows from it

1. **Measure first.** A figure from the machine in front of you is worth more than a rule from a book. Write down
   1. what was measured,
   2. on which machine,
   3. and with which command, so that it can be repeated.
2. **Change one thing.** Two changes at once teach nothing about either.
3. **Keep what works.** The code that nobody complains about is the code that is right, until a test says otherwise.

### 5.2 An example with all of it

Suppose the table in section 3 shows that the *first token* takes most of the time. Then

- a faster terminal helps nobody,
- but a line that says `waiting for the model, 2 s` helps everybody,
- and so does a key that gives up:

  ```text
  esc   cancel this run
  ^r    send it again
  ```

and the whole change is four lines long:

```diff
-    await show(await model.answer(prompt))
+    status.begin("waiting for the model")
+    async for fragment in model.stream(prompt):
+        status.end()
+        await show(fragment)
```

That is the end of the text. A real model would have had something to say about *your* question; to connect one, set
`OPENAI_API_KEY`, or start a local server such as Ollama, and open the playground again.
"""
