namespace Microsoft.ML.VisionModels;

/// <summary>How CLIP's tokenizer prepares a text before it cuts it into words. The two published ways agree on plain text.</summary>
public enum ClipTextCleaning
{
    /// <summary>As Hugging Face's <c>CLIPTokenizerFast</c>: Unicode's NFC, and lower case.</summary>
    HuggingFace,

    /// <summary>As OpenAI's own code: broken text is repaired as by ftfy, HTML's character references are read, and then lower case.</summary>
    OpenAI,
}
