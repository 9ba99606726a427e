"""Writes folders as Hugging Face's libraries save them: tiny models, and tokenizers trained on a few sentences.

`python tests/corpus/layouts/hugging_face.py FOLDER`, where transformers, peft and sentence-transformers are installed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
import transformers as hf

SENTENCES = ["a good thing", "one bad thing", "the other day", "it was as good as it was bad"] * 10
TEMPLATE = """{%- for message in messages %}
    {{- '<|' + message['role'] + '|>\\n' + message['content'] | trim + eos_token }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"""
SMALL: dict[str, Any] = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
CARD = "---\nlicense: apache-2.0\npipeline_tag: text-generation\n---\n\n# A model\n\n```python\nimport torch\n```\n"
ATTRIBUTES = "*.bin filter=lfs diff=lfs merge=lfs -text\n*.safetensors filter=lfs diff=lfs merge=lfs -text\n"


def tokenizer(kind: str) -> Any:
    """Return a tokenizer that was trained on the sentences: of word pieces, or of byte pairs."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] if kind == "pieces" else ["<s>", "</s>", "<unk>"]
    if kind == "pieces":
        made, train = Tokenizer(models.WordPiece(unk_token="[UNK]")), trainers.WordPieceTrainer
        made.normalizer, made.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
        made.decoder = decoders.WordPiece()
    else:
        made, train = Tokenizer(models.BPE(unk_token="<unk>")), trainers.BpeTrainer
        made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
    made.train_from_iterator(SENTENCES, train(vocab_size=80, special_tokens=special))
    return made


def classifier(folder: Path) -> None:
    """Write a classifier of texts in one file, with its tokenizer's vocabulary."""
    words = hf.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer("pieces"),
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        mask_token="[MASK]",
    )
    config = hf.BertConfig(vocab_size=words.vocab_size, num_labels=2, max_position_embeddings=16, **SMALL)
    config.id2label, config.label2id = {0: "no", 1: "yes"}, {"no": 0, "yes": 1}
    hf.BertForSequenceClassification(config).save_pretrained(folder)
    words.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(words.get_vocab()) + "\n")
    repository(folder)


def repository(folder: Path) -> None:
    """Write what every repository has."""
    (folder / "README.md").write_text(CARD)
    (folder / ".gitattributes").write_text(ATTRIBUTES)
    (folder / "LICENSE").write_text("Apache License\nVersion 2.0, January 2004\n")


def generator(folder: Path) -> None:
    """Write a generator of texts in shards, with a template for chats."""
    pairs = hf.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer("pairs"), bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    pairs.chat_template = TEMPLATE
    config = hf.LlamaConfig(vocab_size=len(pairs), max_position_embeddings=16, num_key_value_heads=1, **SMALL)
    model = hf.LlamaForCausalLM(config)
    model.generation_config.do_sample = True
    model.save_pretrained(folder, max_shard_size="2KB")
    pairs.save_pretrained(folder)
    pairs.backend_tokenizer.model.save(str(folder))
    repository(folder)


def older(folder: Path) -> None:
    """Write weights as they were before safetensors, in one file and in shards."""
    model = hf.GPT2Model(hf.GPT2Config(n_embd=4, n_layer=1, n_head=2, vocab_size=9, n_positions=4))
    weights = model.state_dict()
    for name in ("one", "shards"):
        model.config.save_pretrained(folder / name)
    torch.save(weights, folder / "one" / "pytorch_model.bin")
    shards = {key: f"pytorch_model-{number:05}-of-00002.bin" for number, key in enumerate(list(weights)[:2], 1)}
    for key, shard in shards.items():
        torch.save({key: weights[key]}, folder / "shards" / shard)
    (folder / "shards" / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": shards}))


def trained(folder: Path) -> None:
    """Write what a training leaves: the model, and a checkpoint with the state of everything."""
    config = hf.BertConfig(vocab_size=9, num_labels=2, max_position_embeddings=4, **SMALL)
    rows = [{"input_ids": [1, 2], "labels": number % 2} for number in range(4)]
    words = {"output_dir": str(folder), "max_steps": 1, "save_steps": 1, "report_to": [], "use_cpu": True}
    trainer = hf.Trainer(hf.BertForSequenceClassification(config), hf.TrainingArguments(**words), train_dataset=rows)
    trainer.train()
    trainer.save_model(str(folder))


def sentencepiece(folder: Path) -> None:
    """Write a translator with a tokenizer of sentencepiece."""
    import sentencepiece as sp

    folder.mkdir(parents=True)
    sp.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES),
        model_prefix=str(folder / "spiece"),
        vocab_size=40,
        hard_vocab_limit=False,
        normalization_rule_name="identity",
    )
    config = hf.T5Config(vocab_size=40, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)
    hf.T5ForConditionalGeneration(config).save_pretrained(folder)
    repository(folder)


def images(folder: Path) -> None:
    """Write a classifier of images, and one of sounds, each with what prepares its input."""
    config = hf.ViTConfig(image_size=8, patch_size=4, **SMALL)
    hf.ViTForImageClassification(config).save_pretrained(folder / "image")
    hf.ViTImageProcessor(size={"height": 8, "width": 8}).save_pretrained(folder / "image")
    hf.Wav2Vec2FeatureExtractor().save_pretrained(folder / "sound")


def adapter(folder: Path) -> None:
    """Write an adapter of a model that is beside it."""
    import peft

    base = hf.LlamaForCausalLM(hf.LlamaConfig(vocab_size=30, num_key_value_heads=1, **SMALL))
    base.config._name_or_path = "/opt/ml/model/base"
    tuned = peft.get_peft_model(base, peft.LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM"))
    tuned.save_pretrained(folder)
    base.save_pretrained(folder / "base")


def sentences(folder: Path) -> None:
    """Write a model of sentence-transformers."""
    import shutil

    from sentence_transformers import SentenceTransformer, models

    inner = folder.parent / "inner"
    classifier(inner)
    made = [models.Transformer(str(inner)), models.Pooling(8), models.Normalize()]
    SentenceTransformer(modules=made).save_pretrained(str(folder))
    shutil.rmtree(inner)


LAYOUTS = (classifier, generator, older, trained, sentencepiece, images, adapter, sentences)


def main(folder: Path) -> None:
    """Write each layout."""
    torch.manual_seed(0)
    for write in LAYOUTS:
        write(folder / write.__name__)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
