using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Clip;

[Trait("Category", "Golden")]
[Trait("Family", "Clip")]
public class ClipGoldenTests
{
    public static TheoryData<string> Cases => [.. GoldenCase.Names().Where(IsNetwork)];

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void EqualsTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var golden = GoldenCase.Open(name);
        using var network = Load(golden);

        var outputs = Run(network, golden.Pixels(""), golden.Input("input_ids"), mask: null, "");
        if (golden.Tensors.ContainsKey("in.attention_mask"))
        {
            foreach (var (output, value) in Run(network, golden.Pixels(""), golden.Input("input_ids"), golden.Input("attention_mask"), "_masked"))
                outputs.TryAdd(output, value);
        }
        foreach (var output in golden.Tensors.Keys.Where(key => key.StartsWith("out.", StringComparison.Ordinal)))
            golden.AssertClose(output[4..], outputs[output[4..]]);
        golden.AssertAllCompared();
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void SavesUnderTheOfficialNames(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open(name);
        using var network = Load(golden);
        golden.AssertSavesUnderTheOfficialNames(network, ClipDialect.All(network.Config)[0]);
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void WritesAConfigThatReadsBackEqual(string name)
    {
        using var golden = GoldenCase.Open(name);
        var config = ClipConfig.FromHuggingFace(golden.Config);
        var written = JsonSerializer.SerializeToElement(config.ToHuggingFace());
        Assert.Equal(ModelJson.Write(config), ModelJson.Write(ClipConfig.FromHuggingFace(written)));
    }

    private static bool IsNetwork(string name) =>
        (GoldenCase.Belongs(name, "clip") && !GoldenCase.Belongs(name, "clip-tokenizer") && !GoldenCase.Belongs(name, "clip-preprocess")) || GoldenCase.Belongs(name, "siglip");

    private static ClipNetwork Load(GoldenCase golden)
    {
        using var checkpoint = golden.OpenModel();
        var config = ClipConfig.FromHuggingFace(golden.Config);
        var network = new ClipNetwork(config);
        CheckpointLoader.Load(network, checkpoint, ClipDialect.All(config)[0]);
        network.eval();
        return network;
    }

    /// <param name="network">The network.</param>
    /// <param name="pixels">[B, 3, H, W].</param>
    /// <param name="ids">[T, tokens].</param>
    /// <param name="mask">Which tokens are not padding.</param>
    /// <param name="suffix">What the case adds to the names of all that depends on the mask.</param>
    private static Dictionary<string, Tensor> Run(ClipNetwork network, Tensor pixels, Tensor ids, Tensor? mask, string suffix)
    {
        var trace = new Trace();
        var (images, texts) = (network.Vision.forward(pixels, trace.In("vision")), network.Text.forward(ids, trace.In("text"), mask));
        var logits = network.Logits(images, texts);
        var outputs = new Dictionary<string, Tensor>
        {
            ["vision.embeddings_before_pre_layernorm"] = trace["vision.embeddings"],
            // CLIP's is before the last norm, which is of the class token alone.
            ["vision.last_hidden_state"] = trace[network.Config.Sigmoid ? "vision.final_layernorm" : $"vision.hidden_states.{network.Config.Vision.Depth}"],
            ["vision.pooler_output"] = trace["vision.pooled"],
            [$"text{suffix}.last_hidden_state"] = trace["text.last_hidden_state"],
            // SigLIP's is after the head.
            [$"text{suffix}.pooler_output"] = network.Config.Sigmoid ? texts : trace["text.pooled"],
            ["image_features"] = images,
            ["image_embeds_normalized"] = ClipNetwork.Normalize(images),
            [$"text_features{suffix}"] = texts,
            [$"text_embeds_normalized{suffix}"] = ClipNetwork.Normalize(texts),
            [$"logits_per_image{suffix}"] = logits,
            [$"logits_per_text{suffix}"] = logits.t(),
            [$"probs_per_image{suffix}"] = network.Config.Sigmoid ? logits.sigmoid() : logits.softmax(-1),
        };
        var pairs = Math.Min(logits.shape[0], logits.shape[1]);
        outputs[$"contrastive_loss_first_n{suffix}"] = ClipLoss.Symmetric(logits.narrow(0, 0, pairs).narrow(1, 0, pairs), eye(pairs)).view(1);
        foreach (var (name, value) in trace.Tensors)
            outputs.TryAdd(name.Replace("text.", $"text{suffix}.", StringComparison.Ordinal), value);
        return outputs;
    }
}
