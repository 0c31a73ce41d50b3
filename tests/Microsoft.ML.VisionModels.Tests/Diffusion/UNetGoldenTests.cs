using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

[Trait("Category", "Golden")]
[Trait("Family", "Diffusion")]
public class UNetGoldenTests
{
    private const string Tap = "tap.";

    // What the cases hold as inputs.
    private static readonly string[] s_inputs =
        ["sample", "timestep", "encoder_hidden_states", "encoder_attention_mask", "class_labels", "text_embeds", "time_ids", "timestep_cond"];

    public static TheoryData<string> Cases => GoldenCase.For("diffusion-unet");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void EqualsTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var golden = GoldenCase.Open(name);
        using var network = Load(golden);
        using var trace = new Trace();

        var guidance = new UNetGuidance
        {
            Words = Input("encoder_hidden_states"), WordsMask = Input("encoder_attention_mask"), Classes = Input("class_labels"),
            Text = Input("text_embeds"), Sizes = Input("time_ids"), Strength = Input("timestep_cond"),
        };
        var sample = golden.Input("sample");
        golden.AssertClose("output", network.forward(sample, golden.Input("timestep"), guidance, trace));
        golden.AssertCloseWherePresent(trace.Tensors);
        golden.AssertCloseWherePresent(trace.Tensors.ToDictionary(entry => Tap + entry.Key, entry => entry.Value));
        if (golden.Has("output_scalar_t"))
            golden.AssertClose("output_scalar_t", network.forward(sample, tensor(500L).view(1), guidance));
        golden.AssertNoneForgotten(golden.NotCompared.Except(s_inputs));

        Tensor? Input(string name) => golden.Has(name) ? golden.Input(name) : null;
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void SavesUnderTheOfficialNames(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        using var network = Load(golden);
        golden.AssertSavesUnderTheOfficialNames(network, DiffusersDialect.UNet(network.Config));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void WritesAConfigThatReadsBackEqual(string name)
    {
        using var golden = GoldenCase.Open(name);
        var config = UNetConfig.FromDiffusers(golden.Config);
        var written = JsonSerializer.SerializeToElement(config.ToDiffusers());
        Assert.Equal(ModelJson.Write(config), ModelJson.Write(UNetConfig.FromDiffusers(written)));
        foreach (var entry in written.EnumerateObject().Where(entry => entry.Value.ValueKind is JsonValueKind.String or JsonValueKind.True or JsonValueKind.False))
            Assert.True(JsonElement.DeepEquals(entry.Value, golden.Config.GetProperty(entry.Name)), entry.Name);
    }

    internal static UNet Load(GoldenCase golden)
    {
        using var checkpoint = golden.OpenModel();
        var network = new UNet(UNetConfig.FromDiffusers(golden.Config));
        CheckpointLoader.Load(network, checkpoint, DiffusersDialect.UNet(network.Config));
        network.eval();
        return network;
    }
}
