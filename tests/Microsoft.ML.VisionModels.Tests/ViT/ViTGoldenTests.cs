using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.ViT;

[Trait("Category", "Golden")]
[Trait("Family", "ViT")]
public partial class ViTGoldenTests
{
    public static TheoryData<string> Cases => GoldenCase.For("vit-classifier", "vit-featurizer", "deit");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void EqualsTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var golden = GoldenCase.Open(name);

        var outputs = golden.Outputs.Select(name => OutputName().Match(name)).Where(match => match.Success);
        foreach (var group in outputs.GroupBy(match => (Input: match.Groups["input"].Value, Version: match.Groups["version"].Value)))
        {
            var rule = group.Key.Version == "v446" ? PositionInterpolation.Size : PositionInterpolation.ScaleFactor;
            using var network = Load(golden, rule);
            var actual = Run(network, golden.Pixels(group.Key.Input));
            foreach (var output in group)
                golden.AssertClose(output.Value, actual[output.Groups["tensor"].Value]);
        }
        golden.AssertAllCompared();
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void SavesUnderTheOfficialNames(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        using var network = Load(golden, null);
        golden.AssertSavesUnderTheOfficialNames(network, ViTDialect.HuggingFace(network.Config));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void WritesAConfigThatReadsBackEqual(string name)
    {
        using var golden = GoldenCase.Open(name);
        using var official = golden.OpenModel();
        var config = ViTConfig.FromHuggingFace(golden.Config, official.Tensors);
        var written = System.Text.Json.JsonSerializer.SerializeToElement(config.ToHuggingFace(config.Classes is null ? null : golden.Config.Labels()));
        Assert.Equal(config, ViTConfig.FromHuggingFace(written, official.Tensors));
    }

    private static ViTNetwork Load(GoldenCase golden, PositionInterpolation? rule)
    {
        using var checkpoint = golden.OpenModel();
        var config = ViTConfig.FromHuggingFace(golden.Config, checkpoint.Tensors) with { Interpolation = rule };
        var network = new ViTNetwork(config);
        CheckpointLoader.Load(network, checkpoint, ViTDialect.HuggingFace(config));
        network.eval();
        return network;
    }

    private static Dictionary<string, Tensor> Run(ViTNetwork network, Tensor pixels)
    {
        var trace = new Trace();
        var tokens = network.Tokens(pixels, trace);
        var prefix = network.Config.PrefixTokens;
        var cls = tokens.select(1, 0);
        trace.Add("embeddings", trace["hidden_states.0"]);
        trace.Add("attentions.last", trace[ViTNetwork.AttentionName(network.Config.Depth - 1)]);
        trace.Add("last_hidden_state", tokens);
        trace.Add("pooler_output", network.Embedding(tokens));
        trace.Add("cls", cls);
        trace.Add("cls_l2_normalized", cls / cls.norm(1, keepdim: true, p: 2f));
        trace.Add("mean_patch_tokens", tokens.narrow(1, prefix, tokens.shape[1] - prefix).mean([1]));
        trace.Add("mean_all_tokens", tokens.mean([1]));
        if (network.Config.Classes is not null)
        {
            var logits = network.Logits(tokens, trace);
            trace.Add("logits", logits);
            trace.Add("probabilities", logits.softmax(-1));
        }
        return trace.Tensors.ToDictionary();
    }

    /// <summary>An output, after the name of the input where it is another than <c>pixel_values</c>; at either place a version of the position rule.</summary>
    [GeneratedRegex(@"^((?<input>.*?)_?(?<version>v\d+)?\.)?(?<tensor>patch_embeddings|embeddings|hidden_states\.\d+|attentions\.\w+?|final_layernorm|last_hidden_state|pooler_output|cls|cls_l2_normalized|mean_patch_tokens|mean_all_tokens|logits|probabilities|cls_logits|distillation_logits)(_(?<version>v\d+))?$")]
    private static partial Regex OutputName();
}
