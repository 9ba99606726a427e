"""Writes what Keras and TensorFlow save, as people serve it: by Keras 2 or Keras 3, whichever is installed.

`python tests/corpus/layouts/keras_models.py FOLDER`: one folder in it for each layout.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

keras = tf.keras
layers = keras.layers
OLD = tf.__version__ < "2.16"
X = np.random.RandomState(0).rand(16, 4).astype("float32")
TEXTS = np.array(["a good thing", "one bad thing"] * 8)


def dense() -> keras.Model:
    """Return a small network, fitted, whose optimizer has a state."""
    model = keras.Sequential(
        [layers.Input((4,)), layers.BatchNormalization(), layers.Dense(3, "relu"), layers.Dense(1)]
    )
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(X, X[:, 0], verbose=0)
    return model


def several_inputs() -> keras.Model:
    """Return a functional model: categories and numbers in, two outputs."""
    kind, numbers = keras.Input((1,), dtype="string", name="kind"), keras.Input((4,), name="numbers")
    looked_up = layers.StringLookup(vocabulary=["a", "b"])(kind)
    embedded = layers.Flatten()(layers.Embedding(5, 2)(looked_up))
    scale = layers.Normalization()
    scale.adapt(X)
    both = layers.Concatenate()([embedded, scale(numbers)])
    return keras.Model([kind, numbers], [layers.Dense(1, "sigmoid", name="p")(both), layers.Dense(2, name="q")(both)])


def texts() -> keras.Model:
    """Return a model that takes texts, with a vocabulary of its own."""
    vectors = layers.TextVectorization(max_tokens=20, output_sequence_length=4)
    vectors.adapt(TEXTS)
    text = keras.Input((1,), dtype="string")
    steps = layers.Bidirectional(layers.LSTM(2))(layers.Embedding(20, 3, mask_zero=True)(vectors(text)))
    return keras.Model(text, layers.Dense(1, "sigmoid")(steps))


def images() -> keras.Model:
    """Return a convolutional network with what changes images before it."""
    picture = keras.Input((8, 8, 3))
    changed = layers.RandomFlip("horizontal")(layers.Rescaling(1 / 255)(picture))
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3, activation="relu")(changed))
    return keras.Model(picture, layers.Dense(2, "softmax")(pooled))


MODELS = {"dense": dense, "inputs": several_inputs, "texts": texts, "images": images}


def main(folder: Path) -> None:
    """Write each model in each way that this version of Keras has."""
    for name, make in MODELS.items():
        model = make()
        for what in ("files", "served", "exported"):
            (folder / f"{name}-{what}").mkdir(parents=True)
        files = folder / f"{name}-files"
        model.save(files / "model.keras")
        model.save_weights(files / "model.weights.h5")
        if name in ("dense", "images"):
            model.save(files / "model.h5")
        if OLD:
            model.save(folder / f"{name}-served" / "1")
            model.save_weights(files / "checkpoint-of" / "model")
        else:
            model.export(folder / f"{name}-exported" / "1", verbose=False)
        (files / "model.json").write_text(model.to_json())
        np.save(files / "classes.npy", np.array(["no", "yes"]))
        for empty in (each for each in folder.iterdir() if not any(each.iterdir())):
            empty.rmdir()
    if OLD:
        estimators(folder)


def estimators(folder: Path) -> None:
    """Export estimators of TensorFlow 1, as `export/Servo/<time>` of SageMaker's script mode."""
    column = tf.feature_column
    numbers = column.numeric_column("numbers", shape=(4,))
    kind = column.categorical_column_with_vocabulary_list("kind", ["a", "b"])
    place = column.categorical_column_with_hash_bucket("place", 8)
    crossed, bins = column.crossed_column(["kind", "place"], 6), column.bucketized_column(numbers, [0.3, 0.6])
    of_linear = [numbers, kind, place, crossed, bins]
    of_network = [numbers, column.indicator_column(kind), column.embedding_column(place, 2)]
    made = {
        "linear": (tf.estimator.LinearClassifier(of_linear), of_linear),
        "network": (tf.estimator.DNNRegressor([3], of_network), of_network),
        "both": (tf.estimator.DNNLinearCombinedClassifier(None, [kind], "Ftrl", of_network, "Adam", [3]), of_network),
    }
    data = {"numbers": X, "kind": np.array(["a", "b"] * 8), "place": np.array(["x", "y"] * 8)}
    for name, (estimator, columns) in made.items():
        estimator.train(lambda: tf.data.Dataset.from_tensors((data, (X[:, :1] > 0.5).astype(int))), steps=1)
        receive = tf.estimator.export.build_parsing_serving_input_receiver_fn(
            column.make_parse_example_spec([*columns, kind])
        )
        estimator.export_saved_model(str(folder / f"estimator-{name}" / "export" / "Servo"), receive)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
