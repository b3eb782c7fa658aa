"""What lies in every bundle for whoever has nothing but the bundle."""

README_TEXT = """\
RECORDINGS OF TELEPHONE CALLS, SIGNED BY THE BOX THAT MADE THEM

recordings/      the audio; any player opens it. Left: the caller. Right: the agent.
metadata.json    what is known of each recording: when, who, how long, marks, gaps, SHA-256 of its file
chain.json       what was ever done with these recordings, and the hashes that tie it to the box's chain
manifest.json    SHA-256 of every file here; public-key.pem: the box's key; manifest.sig: its signature

How to verify, with the program on any machine:
    branchline verify BUNDLE.zip --fingerprint HEX
HEX is the fingerprint of the box's key. Ask the owner of the box for it, not the sender of this bundle:
    branchline recordings key

How to verify without the program (OpenSSL 3):
 1. openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in manifest.json -sigfile manifest.sig
 2. openssl pkey -pubin -in public-key.pem -outform DER | tail -c 32 | sha256sum
    gives the fingerprint
 3. sha256sum of every file must be as manifest.json says, and no other file may be here
 4. in chain.json, beginning with "before" of a run, for each hash of "payloads" in order:
        link = SHA-256(link || hash)
    At a head's "seq" the link is the head's, and its "signature" is one of the text
        "branchline chain head 1\\n" seq "\\n" at_ms "\\n" link "\\n"
    An entry's hash is SHA-256 of seq, at_ms, kind, recording, by and data, each written as
        its length in octets ":" itself in UTF-8 ","


电话录音，由制作设备签名

recordings/      录音文件，任何播放器都能打开。左声道：来电方；右声道：坐席。
metadata.json    每段录音的资料：时间、双方、时长、标记、缺失部分、文件的 SHA-256
chain.json       对这些录音做过的一切操作，以及把它们与设备审计链连接起来的哈希值
manifest.json    本包内每个文件的 SHA-256；public-key.pem：设备公钥；manifest.sig：设备签名

用本程序在任何一台机器上验证：
    branchline verify BUNDLE.zip --fingerprint HEX
HEX 是设备密钥的指纹。请向设备的所有者索取，不要向本包的发送者索取：
    branchline recordings key

不用本程序验证（OpenSSL 3）：
 1. openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in manifest.json -sigfile manifest.sig
 2. openssl pkey -pubin -in public-key.pem -outform DER | tail -c 32 | sha256sum
    得到指纹
 3. 每个文件的 sha256sum 必须与 manifest.json 一致，并且没有多余的文件
 4. chain.json 中，从一个 run 的 "before" 开始，依次对 "payloads" 中的每个哈希计算：
        link = SHA-256(link || 哈希)
    到 head 的 "seq" 处，link 必须等于该 head 的 link，其 "signature" 是对以下文本的签名：
        "branchline chain head 1\\n" seq "\\n" at_ms "\\n" link "\\n"
    一条记录的哈希是 seq、at_ms、kind、recording、by、data 的 SHA-256，每项写作
        UTF-8 的字节数 ":" 内容 ","
"""
