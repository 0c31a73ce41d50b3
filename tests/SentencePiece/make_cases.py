"""Writes cases.json beside this file: what google/sentencepiece makes of texts with the models here.

The models were trained by its spm_train on the text of docs/ and some prompts, with a small table of characters:

    spm_train --input=docs.txt --model_prefix=unigram --model_type=unigram --vocab_size=700 --character_coverage=0.998 \\
        --byte_fallback --user_defined_symbols='<sep>,photo of' --hard_vocab_limit=false --normalization_rule_tsv=rules.tsv
    spm_train --input=docs.txt --model_prefix=bpe --model_type=bpe --vocab_size=700 --character_coverage=0.998 \\
        --byte_fallback --user_defined_symbols='<sep>' --normalization_rule_name=identity --remove_extra_whitespaces=false
    spm_train --input=words.txt --model_prefix=siglip --model_type=unigram --vocab_size=64 --character_coverage=1 \\
        --pad_id=0 --eos_id=1 --unk_id=2 --bos_id=-1 --normalization_rule_tsv=rules.tsv

siglip.model has the layout of SigLIP's. Its rows follow the steps of Hugging Face's SiglipTokenizer, with sentencepiece 0.1.97.
"""
import json
import os
import re
import string

os.environ["PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"] = "python"
import sentencepiece
from sentencepiece import sentencepiece_model_pb2

HERE = os.path.dirname(os.path.abspath(__file__))
SPACE, END, UNKNOWN, LENGTH = "\u2581", "</s>", "<unk>", 24

TEXTS = [
    "", " ", "a", " a", "a photo of a cat.", "A Photo OF the <sep>dog<sep>", "photo of", "  a photo of  \t two\nhorses \r\n", "a_b-c", "!!!",
    "\u2581", "a\u2581b", "\u2581\u2581 a", "a \u2581", "\0", "a\0b", "\u000b", "x\u200by", "\u3000wide\u3000space\u00a0", "a\u0085b\u001cc",
    "caf\u00e9 cafe\u0301 \u0301", "\ufb01ne \ufb02ower \u2165 \u2122 \u00bd \uff21", "Gr\u00f6\u00dfe \u1e9e \u0130stanbul \u03a3\u0391\u03a3", "\u65e5\u672c\u8a9e \u732b",
    "\u043a\u043e\u0448\u043a\u0430", "\U0001f408\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U00020000\ue000\uffff\ufffd", "\u0915\u094d\u0937", "\u0627\u0644\u0642\u0637\u0629",
    "<s>", "</s>", "a cat</s>", "<unk> dog", "a </s> cat </S>b", "<0x41>", "</s></s>", "<pad>", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "1234567890 0x1F", "e" * 70,
    "the the the the the the the the the the the the the the the the the the the the the the the the the the",
    "mlContext.Transforms.ClipZeroShot(\"clip\", [\"a beach\"])", "| `TipAdapter` | remembers the pictures |", "    // the checkpoint's own        ", "don't stop; it's a man's train!",
]


def cases(name):
    model = sentencepiece.SentencePieceProcessor(model_file=os.path.join(HERE, name + ".model"))
    ids = model.encode(TEXTS)
    return {"ids": ids, "decoded": model.decode(ids)}


class SigLip:
    def __init__(self):
        proto = sentencepiece_model_pb2.ModelProto()
        with open(os.path.join(HERE, "siglip.model"), "rb") as file:
            proto.ParseFromString(file.read())
        proto.normalizer_spec.add_dummy_prefix = False
        self.model = sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())

    def words(self, text):
        text = " ".join("".join(c for c in text if c not in string.punctuation).split())
        return self.model.encode(UNKNOWN + text)[len(self.model.encode(UNKNOWN)):]

    def row(self, text):
        text = (SPACE + text.replace(SPACE, " "))
        text = "".join(c.lower() for c in text)
        ids = []
        for part in re.split(f"({END}|{UNKNOWN})", text):
            if part in (END, UNKNOWN):
                ids = [] if ids == [self.model.piece_to_id(SPACE)] else ids
                ids.append(self.model.piece_to_id(part))
            elif part:
                ids += self.words(part)
        end = self.model.piece_to_id(END)
        ids = ids[:LENGTH - 1]
        return ids + [end] * (LENGTH - len(ids))


siglip = SigLip()
with open(os.path.join(HERE, "cases.json"), "w", newline="\n") as file:
    json.dump({"texts": TEXTS, "unigram": cases("unigram"), "bpe": cases("bpe"), "siglip": {"rows": [siglip.row(text) for text in TEXTS]}}, file, separators=(",", ":"))
    file.write("\n")
