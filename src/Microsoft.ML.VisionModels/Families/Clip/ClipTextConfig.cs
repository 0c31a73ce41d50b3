using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>Which token of a text stands for it.</summary>
internal enum ClipTextPooling
{
    /// <summary>The first with the highest number, which is the end token of OpenAI's vocabulary.</summary>
    HighestToken,

    /// <summary>The first end token.</summary>
    EndToken,

    /// <summary>The one at the last position, be it padding (SigLIP).</summary>
    LastPosition,
}

/// <summary>The hyper-parameters of a text tower.</summary>
internal sealed record ClipTextConfig
{
    // The official files give this number as the end token's, which it is not, and mean the highest number.
    internal const int HighestTokenMark = 2;

    [ConfigKey("vocab_size")]
    public int VocabularySize { get; init; } = 49408;

    /// <summary>Tokens of a text, with those at its start and end.</summary>
    [ConfigKey("max_position_embeddings")]
    public int Positions { get; init; } = 77;

    [ConfigKey("hidden_size")]
    public int Width { get; init; } = 512;
    [ConfigKey("num_hidden_layers")]
    public int Depth { get; init; } = 12;
    [ConfigKey("num_attention_heads")]
    public int Heads { get; init; } = 8;
    [ConfigKey("intermediate_size")]
    public int MlpWidth { get; init; } = 2048;
    [ConfigKey("hidden_act")]
    public Activation Activation { get; init; } = Activation.QuickGelu;
    [ConfigKey("layer_norm_eps")]
    public double NormEps { get; init; } = 1e-5;
    [ConfigKey("attention_dropout")]
    public double AttentionDropout { get; init; }

    /// <summary>The length of the vectors; 0 for a tower without a projection, whose tokens are wanted, as those of diffusion models are.</summary>
    [FromTo(0)]
    public int EmbeddingSize { get; init; } = 512;

    /// <summary>A token sees itself and those before it.</summary>
    public bool Causal { get; init; } = true;

    public ClipTextPooling Pooling { get; init; } = ClipTextPooling.HighestToken;

    /// <summary>The number of the token that <see cref="ClipTextPooling.EndToken"/> looks for.</summary>
    [FromTo(0)]
    public int EndToken { get; init; }

    /// <summary>Whether the projection has a bias (SigLIP).</summary>
    public bool ProjectionBias { get; init; }

    public TransformerConfig Transformer => new()
    {
        Width = Width,
        Depth = Depth,
        Heads = Heads,
        MlpWidth = MlpWidth,
        Activation = Activation,
        NormEps = NormEps,
        AttentionDropout = AttentionDropout,
        Causal = Causal,
    };

    /// <summary>Reads a text tower of CLIP: <c>text_config</c>, or the <c>config.json</c> of a tower that is published alone.</summary>
    /// <exception cref="CheckpointException">A value is of the wrong kind; the message names the key.</exception>
    public static ClipTextConfig FromHuggingFace(JsonElement config)
    {
        var endToken = config.Get("eos_token_id", 49407);
        return ConfigKeys.Read(config, new ClipTextConfig()) with
        {
            Pooling = endToken == HighestTokenMark ? ClipTextPooling.HighestToken : ClipTextPooling.EndToken,
            EndToken = endToken,
        };
    }

    /// <summary>Throws for hyper-parameters that make no network.</summary>
    /// <exception cref="ArgumentException">A number is not positive, or the numbers do not fit each other.</exception>
    public ClipTextConfig Validate()
    {
        HyperParameters.Check(this);
        if (Width % Heads != 0)
            throw new ArgumentException($"The width {Width} cannot be divided among {Heads} attention heads.");
        return this;
    }
}
