using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.ViT;

/// <summary>DINO's and DINOv2's networks, as the authors' code and Hugging Face's library compute them.</summary>
[Trait("Category", "Golden")]
[Trait("Family", "SelfSupervised")]
public partial class DinoGoldenTests
{
    public static TheoryData<string> Cases => GoldenCase.For("dino-vit", "dinov2");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void EqualsTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var golden = GoldenCase.Open(name);
        foreach (var group in golden.Outputs.Select(output => OutputName().Match(output)).Where(match => match.Success)
            .GroupBy(match => (Input: match.Groups["input"].Value, Version: match.Groups["version"].Value)))
        {
            using var network = Load(golden, group.Key.Version);
            var run = new Run(golden, network, golden.Pixels(group.Key.Input));
            foreach (var output in group)
                golden.AssertClose(output.Value, run.Output(output.Groups["tensor"].Value));
        }
        golden.AssertAllCompared();
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void SavesUnderTheOfficialNames(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        using var network = Load(golden, "");
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

    /// <summary>The network with the rule by which that version of the reference resamples positions.</summary>
    private static ViTNetwork Load(GoldenCase golden, string version)
    {
        using var checkpoint = golden.OpenModel();
        var config = ViTConfig.FromHuggingFace(golden.Config, checkpoint.Tensors);
        // Networks with registers have had one rule from the beginning.
        var rule = config.RegisterTokens > 0 ? config.Interpolation : version == "v446" ? PositionInterpolation.Size : PositionInterpolation.ScaleFactor;
        var network = new ViTNetwork(config with { Interpolation = rule });
        CheckpointLoader.Load(network, checkpoint, ViTDialect.HuggingFace(config));
        network.eval();
        return network;
    }

    /// <summary>What a network makes of a batch, by the names that the cases give.</summary>
    private sealed class Run
    {
        private readonly System.Text.Json.JsonElement _config;
        private readonly ViTNetwork _network;
        private readonly Trace _trace = new();
        private readonly Tensor _tokens;
        private readonly ImageSize _grid;
        private readonly IReadOnlyDictionary<string, Tensor> _features;

        public Run(GoldenCase golden, ViTNetwork network, Tensor pixels)
        {
            (_config, _network) = (golden.Config, network);
            _tokens = network.Tokens(pixels, _trace);
            _grid = new ImageSize((int)pixels.shape[2], (int)pixels.shape[3]).DividedInto(network.Config.PatchSize);
            _features = network.Describe(pixels, network.Features.Select(feature => feature.Name).ToHashSet());
        }

        private int Depth => _network.Config.Depth;

        public Tensor Output(string name) => name.Split('.', '_') switch
        {
            ["tokens" or "embeddings"] => _trace["hidden_states.0"],
            ["cls"] or ["pooler", "output"] => _tokens.select(1, 0),
            ["last", "hidden", "state"] => _tokens,
            ["mean", "patch", "tokens"] => _features[IFeatureNetwork.FeatureMap].mean([2, 3]),
            ["logits"] => _network.Logits(_tokens),
            ["probabilities"] => _network.Logits(_tokens).softmax(1),
            ["last", "attention"] or ["attentions", "last"] => _trace[ViTNetwork.AttentionName(Depth - 1)],
            ["cls", "attention", "maps"] => _features[IFeatureNetwork.AttentionMaps][0],
            ["cls", "attention", var mass, "mask"] => MassMask(_features[IFeatureNetwork.AttentionMaps][0], Number(mass["mass".Length..]) / 100.0),
            // The last so many blocks.
            ["intermediate", var last, var block] => Normalized(Depth - Number(last["last".Length..]) + 1 + Number(block)),
            ["feature", "maps", "stem"] => Map(0),
            ["feature", "maps", var stage] => Map(Number(stage["stage".Length..])),
            _ => _trace[name],
        };

        private Tensor Map(int block)
        {
            var state = _config.Get("apply_layernorm", true) ? Normalized(block) : _trace[$"hidden_states.{block}"];
            return _config.Get("reshape_hidden_states", true) ? _network.FeatureMap(state, _grid) : state;
        }

        private Tensor Normalized(int block)
        {
            var weights = _network.state_dict();
            return nn.functional.layer_norm(_trace[$"hidden_states.{block}"], [_network.Config.Width], weights["norm.weight"], weights["norm.bias"], _network.Config.NormEps);
        }

        /// <summary>The patches that together take this share of a head's attention to the patches, the most looked at first; as DINO's visualize_attention.py.</summary>
        private static Tensor MassMask(Tensor maps, double share)
        {
            var (values, order) = maps.flatten(1).sort(1);                              // [heads, N]
            var cumulated = (values / values.sum(1, keepdim: true)).cumsum(1);
            var kept = cumulated.Sub(1 - share).relu().sign();                          // 1 or 0
            return zeros_like(kept).scatter_(1, order, kept).view(maps.shape);
        }

        private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
    }

    /// <summary>An output, after the name of the input where it is another than <c>pixel_values</c>; at either place a version of the position rule.</summary>
    [GeneratedRegex(@"^((?<input>.*?)_?(?<version>v\d+)?\.)?(?<tensor>tokens|embeddings|patch_embeddings|cls|pooler_output|last_hidden_state|mean_patch_tokens|logits|probabilities|last_attention|attentions\.\w+?|cls_attention_maps|cls_attention_mass\d+_mask|intermediate_last\d+\.\d+|hidden_states\.\d+|feature_maps\.(stem|stage\d+))(_(?<version>v\d+))?$")]
    private static partial Regex OutputName();
}
