using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Swin;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Swin;

[Trait("Category", "Golden")]
[Trait("Family", "Swin")]
public partial class SwinGoldenTests
{
    public static TheoryData<string> Cases => GoldenCase.For("swin-classifier", "swin-backbone", "swinv2-classifier", "swinv2-backbone");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void EqualsTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var golden = GoldenCase.Open(name);
        using var network = Load(golden);

        var outputs = golden.Outputs.Select(name => OutputName().Match(name)).Where(match => match.Success);
        foreach (var group in outputs.GroupBy(match => match.Groups["input"].Value))
        {
            var actual = Run(network, golden.Pixels(group.Key));
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
        using var network = Load(golden);
        golden.AssertSavesUnderTheOfficialNames(network, SwinDialect.HuggingFace(network.Config));

        using var official = golden.OpenModel();
        var buffers = SwinDialect.HuggingFaceBuffers(network.Config).ToDictionary(buffer => buffer.Name, buffer => buffer.Value);
        foreach (var index in official.Tensors.Keys.Where(tensor => tensor.EndsWith(".relative_position_index", StringComparison.Ordinal) && network.Config.Version == SwinVersion.V1))
            Assert.True(official.Read(index).equal(buffers[index]).all().item<bool>(), index);
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void WritesAConfigThatReadsBackEqual(string name)
    {
        using var golden = GoldenCase.Open(name);
        var config = SwinConfig.FromHuggingFace(golden.Config);
        var written = JsonSerializer.SerializeToElement(config.ToHuggingFace(config.Classes is null ? null : golden.Config.Labels()));
        Assert.Equal(ModelJson.Write(config), ModelJson.Write(SwinConfig.FromHuggingFace(written)));
    }

    private static SwinNetwork Load(GoldenCase golden)
    {
        using var checkpoint = golden.OpenModel();
        var config = SwinConfig.FromHuggingFace(golden.Config, checkpoint.Tensors);
        var network = new SwinNetwork(config);
        CheckpointLoader.Load(network, checkpoint, SwinDialect.HuggingFace(config));
        network.eval();
        return network;
    }

    private static Dictionary<string, Tensor> Run(SwinNetwork network, Tensor pixels)
    {
        var config = network.Config;
        var trace = new Trace();
        var features = network.Features(pixels, trace);
        var outputs = new Dictionary<string, Tensor>
        {
            ["patch_embeddings"] = Tokens(trace["patch_embeddings"]),
            ["hidden_states.0"] = Tokens(trace["stem"]),
            ["last_hidden_state"] = Tokens(features),
            ["pooler_output"] = SwinNetwork.Embedding(features),
        };
        for (var stage = 0; stage < config.Stages; stage++)
        {
            // A backbone's are those before the merging.
            outputs[$"hidden_states.{stage + 1}"] = Tokens(trace[config.FinalNorm ? $"merged.{stage + 1}" : SwinConfig.StageName(stage)]);
            outputs[$"attentions_last_block.{stage}"] = trace[$"stages.{stage}.blocks.{config.Depths[stage] - 1}.attentions"];
            for (var block = 0; block < config.Depths[stage]; block++)
                outputs[$"encoder.layers.{stage}.blocks.{block}"] = Tokens(trace[$"stages.{stage}.blocks.{block}"]);
        }
        foreach (var name in config.StageNames)
            outputs[$"feature_maps.{name}"] = network.FeatureMap(name, trace[name]);
        if (config.Classes is not null)
        {
            outputs["logits"] = network.Logits(SwinNetwork.Embedding(features));
            outputs["probabilities"] = outputs["logits"].softmax(-1);
        }
        return outputs;

        static Tensor Tokens(Tensor grid) => grid.flatten(1, 2);
    }

    /// <summary>An output, after the name of the input where it is another than <c>pixel_values</c>.</summary>
    [GeneratedRegex(@"^((?<input>.*?)\.)??(?<tensor>patch_embeddings|hidden_states\.\d+|attentions_last_block\.\d+|encoder\.layers\.\d+\.blocks\.\d+|feature_maps\.\w+|last_hidden_state|pooler_output|logits|probabilities)$")]
    private static partial Regex OutputName();
}
