using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Text;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>Vectors of texts.</summary>
internal static class ClipTexts
{
    private const int RowsAtOnce = 128;

    /// <summary>
    /// The numbers of texts' tokens, [B, T] int64 on the CPU: all end and are padded to the longest (SigLIP's to the full length), and
    /// those that are too long for the network are cut.
    /// </summary>
    public static Tensor Ids(ITextTokenizer tokenizer, IReadOnlyList<string> texts, ClipTextConfig config)
    {
        var ids = new long[texts.Count * config.Positions];
        var longest = 0;
        for (var i = 0; i < texts.Count; i++)
            longest = Math.Max(longest, tokenizer.Encode(texts[i], ids.AsSpan(i * config.Positions, config.Positions)));
        return Trim(tensor(ids, [texts.Count, config.Positions]), longest, config);
    }

    /// <summary>
    /// Tokens [B, P] without what is padding in all rows, [B, longest]. To a causal tower what follows the end does not matter, and most texts
    /// are far shorter than the 77 tokens that they may have. SigLIP was trained with its padding, which every token sees, and of which the last
    /// stands for the text: it stays.
    /// </summary>
    public static Tensor Trim(Tensor ids, int longest, ClipTextConfig config) =>
        config.Causal && config.Pooling != ClipTextPooling.LastPosition ? ids.narrow(1, 0, longest).contiguous() : ids;

    /// <summary>Vectors of length 1, [N, E], on the network's device.</summary>
    /// <param name="network">The text tower.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="texts">At least one.</param>
    /// <param name="device">Where the network is.</param>
    /// <param name="throwIfCanceled">Asked between batches.</param>
    /// <param name="done">Told after each batch how many texts have their vector.</param>
    public static Tensor Embed(
        ClipTextNetwork network, ITextTokenizer tokenizer, IReadOnlyList<string> texts, Device device, Action? throwIfCanceled = null, Action<int>? done = null)
    {
        using var scope = NewDisposeScope();
        var (parts, count) = (new List<Tensor>(), 0);
        foreach (var chunk in texts.Chunk(RowsAtOnce))
        {
            throwIfCanceled?.Invoke();
            using var inner = NewDisposeScope();
            var ids = Ids(tokenizer, chunk, network.Config).to(device);
            parts.Add(ClipNetwork.Normalize(network.forward(ids)).MoveToOuterDisposeScope());
            done?.Invoke(count += chunk.Length);
        }
        return cat(parts).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// One vector of length 1 for each class, [C, E]: the mean over the templates (arXiv 2103.00020, 3.1.4). ML.NET's log has the progress.
    /// </summary>
    /// <exception cref="ArgumentException">A class has no token that the vocabulary knows.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public static Tensor EmbedClasses(
        ClipTextNetwork network, ITextTokenizer tokenizer, IReadOnlyList<string> labels, IReadOnlyList<string> templates, Device device,
        IHostEnvironment environment, Action throwIfCanceled)
    {
        foreach (var label in labels)
        {
            throwIfCanceled();
            if (!tokenizer.Knows(label))
                throw new ArgumentException($"The label '{label}' has nothing that the vocabulary knows: no text for CLIP to look for.");
        }
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var sentences = labels.SelectMany(label => templates.Select(template => ClipTemplates.Fill(template, label))).ToArray();
        using var progress = environment.StartProgressChannel("Reading words");
        var read = 0;
        progress.SetHeader(new ProgressHeader(["sentences"]), entry => entry.SetProgress(0, read, sentences.Length));
        var vectors = Embed(network, tokenizer, sentences, device, throwIfCanceled, done => read = done)      // [C T, E]
            .view(labels.Count, templates.Count, -1);
        return ClipNetwork.Normalize(vectors.mean([1])).MoveToOuterDisposeScope();
    }
}
