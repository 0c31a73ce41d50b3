using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
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

        var (pixels, ids, mask) = (Input("pixel_values"), Input("input_ids"), Input("attention_mask"));
        golden.AssertCloseWherePresent(Run(network, pixels, ids, mask: null, ""));
        if (mask is not null)
            golden.AssertCloseWherePresent(Run(network, pixels, ids, mask, "_masked"));
        golden.AssertAllCompared();

        Tensor? Input(string name) => golden.Has($"in.{name}") ? golden.Input(name) : null;
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
    /// <param name="pixels">[B, 3, H, W]; null where there are no images.</param>
    /// <param name="ids">[T, tokens]; null where there are no texts.</param>
    /// <param name="mask">Which tokens are not padding.</param>
    /// <param name="suffix">What the case adds to the names of all that depends on the mask.</param>
    private static Dictionary<string, Tensor> Run(ClipNetwork network, Tensor? pixels, Tensor? ids, Tensor? mask, string suffix)
    {
        var trace = new Trace();
        var outputs = new Dictionary<string, Tensor>();
        var (images, texts) = (pixels is null ? null : network.Vision.forward(pixels, trace.In("vision")), ids is null ? null : network.Text.forward(ids, trace.In("text"), mask));
        if (images is not null)
        {
            outputs["vision.embeddings_before_pre_layernorm"] = trace["vision.embeddings"];
            // CLIP's is before the last norm, which is of the class token alone.
            outputs["vision.last_hidden_state"] = trace[network.Config.Sigmoid ? "vision.final_layernorm" : $"vision.hidden_states.{network.Config.Vision.Depth}"];
            outputs["vision.pooler_output"] = trace["vision.pooled"];
            outputs["image_features"] = images;
            outputs["image_embeds_normalized"] = ClipNetwork.Normalize(images);
        }
        if (texts is not null)
        {
            outputs[$"text{suffix}.last_hidden_state"] = trace["text.last_hidden_state"];
            // SigLIP's is after the head.
            outputs[$"text{suffix}.pooler_output"] = network.Config.Sigmoid ? texts : trace["text.pooled"];
            outputs[$"text_features{suffix}"] = texts;
            outputs[$"text_embeds_normalized{suffix}"] = ClipNetwork.Normalize(texts);
        }
        if (images is not null && texts is not null)
        {
            var logits = network.Logits(images, texts);
            outputs[$"logits_per_image{suffix}"] = logits;
            outputs[$"logits_per_text{suffix}"] = logits.t();
            outputs[$"probs_per_image{suffix}"] = network.Config.Sigmoid ? logits.sigmoid() : logits.softmax(-1);
            var pairs = Math.Min(logits.shape[0], logits.shape[1]);
            outputs[$"contrastive_loss_first_n{suffix}"] = ClipLoss.Symmetric(logits.narrow(0, 0, pairs).narrow(1, 0, pairs), eye(pairs)).view(1);
        }
        foreach (var (name, value) in trace.Tensors)
            outputs.TryAdd(name.Replace("text.", $"text{suffix}.", StringComparison.Ordinal), value);
        return outputs;
    }
}
