using System.IO.Compression;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Text;

namespace Microsoft.ML.VisionModels.Fuzz.Readers;

internal sealed class ClipTokenizerReader : Reader
{
    public override string Name => "tokenizer: CLIP";

    public override IReadOnlyList<Type> Documented => [typeof(CheckpointException), typeof(FileNotFoundException)];

    public override void Prepare(string folder)
    {
        var tokenizer = ClipTokenizer.Learn(["a photo of a red square.", "a photo of a green square."], 530);
        tokenizer.SaveFolder(Path.Combine(folder, "pair"));
        var (vocabulary, merges) = tokenizer.ToTexts();
        var lines = merges.Split('\n').Skip(1).Where(line => line.Length > 0).ToArray();

        Directory.CreateDirectory(Path.Combine(folder, "whole"));
        File.WriteAllText(Path.Combine(folder, "whole", "tokenizer.json"), new JsonObject
        {
            ["added_tokens"] = new JsonArray(new JsonObject { ["id"] = 0, ["content"] = "!" }),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE", ["end_of_word_suffix"] = "</w>", ["continuing_subword_prefix"] = "",
                ["vocab"] = JsonNode.Parse(vocabulary), ["merges"] = new JsonArray([.. lines.Select(line => (JsonNode)line)]),
            },
        }.ToJsonString());

        Directory.CreateDirectory(Path.Combine(folder, "packed"));
        using var packed = new GZipStream(File.Create(Path.Combine(folder, "packed", "bpe_simple_vocab_16e6.txt.gz")), CompressionLevel.Fastest);
        packed.Write(System.Text.Encoding.UTF8.GetBytes("\"bpe_simple_vocab_16e6.txt#version: 0.2\n" + string.Join('\n', lines)));
    }

    public override void Read(string folder) => ClipTokenizer.Load(folder).Encode("a photo of a red Square, \u00e9\u4e2d\ud83d\ude00");
}

internal sealed class SentencePieceReader : Reader
{
    public override string Name => "tokenizer: SentencePiece";

    public override IReadOnlyList<Type> Documented => [typeof(CheckpointException)];

    public override void Prepare(string folder)
    {
        foreach (var name in new[] { "bpe.model", "siglip.model", "unigram.model" })
            Copy(folder, name, TestFile("SentencePiece", name));
    }

    public override void Read(string folder)
    {
        var tokenizer = SentencePieceTokenizer.Load(FileOf(folder));
        tokenizer.Decode(tokenizer.Encode("a photo of  a red Square, \u00e9\u4e2d\ud83d\ude00 \uff21"));
    }
}
