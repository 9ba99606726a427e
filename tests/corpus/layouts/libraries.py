"""Writes what libraries keep in formats of their own: spaCy, fastText, Prophet, word vectors.

`python tests/corpus/layouts/libraries.py FOLDER`, where spaCy, fastText and Prophet are installed.
"""

from __future__ import annotations

import sys
from pathlib import Path

SENTENCES = ["a good thing", "one bad thing", "the other day"] * 10


def spacy(folder: Path) -> None:
    """Write a pipeline of spaCy, with rules and vectors."""
    import numpy as np
    import spacy as library

    made = library.blank("en")
    made.add_pipe("sentencizer")
    made.add_pipe("entity_ruler").add_patterns([{"label": "THING", "pattern": "thing"}])
    for word in ("good", "bad", "thing"):
        made.vocab.set_vector(word, np.ones(3, "float32"))
    folder.parent.mkdir(parents=True, exist_ok=True)
    made.to_disk(folder)


def blazingtext(folder: Path) -> None:
    """Write what BlazingText has: a classifier of fastText, or vectors of words in text."""
    import fasttext

    folder.mkdir(parents=True)
    data = folder / "train.txt"
    data.write_text("".join(f"__label__{'good' if 'good' in text else 'other'} {text}\n" for text in SENTENCES))
    fasttext.train_supervised(str(data), dim=3, epoch=1, bucket=10, thread=1).save_model(str(folder / "model.bin"))
    made = fasttext.train_unsupervised(str(data), dim=3, epoch=1, minCount=1, bucket=10, thread=1)
    words = made.get_words()
    rows = [f"{word} {' '.join(f'{number:.4f}' for number in made.get_word_vector(word))}\n" for word in words]
    (folder / "vectors.txt").write_text(f"{len(words)} 3\n" + "".join(rows))
    (folder / "eval.json").write_text('{"mean_rank": 0.5}\n')
    data.unlink()


def prophet(folder: Path) -> None:
    """Write a forecast of Prophet, as JSON."""
    import numpy as np
    import pandas as pd
    from prophet import Prophet
    from prophet.serialize import model_to_json

    days = pd.date_range("2026-01-01", periods=20)
    made = Prophet(weekly_seasonality=False).fit(pd.DataFrame({"ds": days, "y": np.arange(20.0)}))
    folder.mkdir(parents=True)
    (folder / "model.json").write_text(model_to_json(made))


LAYOUTS = (spacy, blazingtext, prophet)


def main(folder: Path) -> None:
    """Write each layout."""
    for write in LAYOUTS:
        write(folder / write.__name__)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
